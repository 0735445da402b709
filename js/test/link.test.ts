// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Choice, joinLink } from "../src/link";

let end: AbortController;

beforeEach(() => {
  end = new AbortController();
});

afterEach(() => end.abort());

/** A view of an Inspector, and what it was told. */
class View {
  readonly told: Choice[] = [];
  isLinked = true;
  readonly tell: (choice: Choice) => void;

  constructor(
    readonly inspector: string,
    follow: (choice: Choice) => void = () => {},
    signal = end.signal,
  ) {
    this.tell = joinLink(
      () => this.inspector,
      () => this.isLinked,
      (choice) => {
        this.told.push(choice);
        follow(choice);
      },
      signal,
    );
  }
}

describe("linked views", () => {
  it("tell those of their Inspector and nobody else", () => {
    const [a, b, other] = [new View("one"), new View("one"), new View("two")];
    a.tell({ layer: "conv1", target: 3 });
    expect(b.told).toMatchObject([{ layer: "conv1", target: 3 }]);
    expect([a.told, other.told]).toEqual([[], []]);
  });

  it("do not tell what they were told", () => {
    const a = new View("one");
    const b = new View("one", (choice) => b.tell(choice));
    const c = new View("one", (choice) => c.tell({ image: choice.image ?? 0 }));
    a.tell({ image: 1 });
    expect([a.told.length, b.told.length, c.told.length]).toEqual([0, 1, 1]);
    b.tell({ image: 0 });
    expect([a.told.length, b.told.length, c.told.length]).toEqual([1, 1, 2]);
  });

  it("tell again after a view could not follow", () => {
    const a = new View("one");
    const b = new View("one", () => {
      throw new Error("cannot");
    });
    const silence = (event: Event) => event.preventDefault();
    addEventListener("error", silence);
    a.tell({ channel: 2 });
    removeEventListener("error", silence);
    b.tell({ channel: 3 });
    expect(a.told).toMatchObject([{ channel: 3 }]);
  });

  it("take no part while they are not linked, and none after their end", () => {
    const own = new AbortController();
    const [a, b] = [new View("one"), new View("one", () => {}, own.signal)];
    b.isLinked = false;
    a.tell({ image: 1 });
    b.tell({ image: 2 });
    expect([a.told, b.told]).toEqual([[], []]);
    b.isLinked = true;
    own.abort();
    a.tell({ image: 1 });
    expect(b.told).toEqual([]);
  });
});
