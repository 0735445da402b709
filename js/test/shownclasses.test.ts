import { describe, expect, it } from "vitest";
import { makeShownClasses } from "../src/shownclasses";

describe("classes side by side", () => {
  it("are the top prediction as long as nothing is chosen", () => {
    const shown = makeShownClasses([]);
    expect([shown.list(), shown.current()]).toEqual([[], undefined]);
    shown.setTop(7);
    expect(shown.list()).toEqual([7]);
    shown.setTop(2);
    expect(shown.list()).toEqual([2]);
    expect(shown.replace(5)).toBe(true);
    shown.setTop(7);
    expect(shown.list()).toEqual([5]);
    shown.take([]);
    expect(shown.list()).toEqual([7]);
  });

  it("are added and removed, and the one that is slid stays the same", () => {
    const shown = makeShownClasses([3, 1]);
    shown.add(4);
    expect([shown.list(), shown.active()]).toEqual([[3, 1, 4], 2]);
    shown.remove(0);
    expect([shown.list(), shown.current()]).toEqual([[1, 4], 4]);
    shown.remove(1);
    expect([shown.list(), shown.current()]).toEqual([[1], 1]);
    shown.activate(9);
    expect(shown.active()).toBe(0);
  });

  it("change one at a time", () => {
    const shown = makeShownClasses([3, 1]);
    shown.activate(1);
    expect(shown.replace(1)).toBe(false);
    shown.replace(8);
    expect(shown.list()).toEqual([3, 8]);
  });

  it("are forgotten where another network has not so many", () => {
    const shown = makeShownClasses([3, 1]);
    shown.limit(2);
    expect(shown.list()).toEqual([1]);
    shown.limit(0);
    shown.setTop(0);
    expect(shown.list()).toEqual([0]);
  });
});
