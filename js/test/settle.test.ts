import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeSettle } from "../src/settle";
import { FakeClock } from "./clock";

let frames: Map<number, () => void>;

beforeEach(() => {
  frames = new Map();
  let next = 1;
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => {
    frames.set(next, run);
    return next++;
  });
  vi.stubGlobal("cancelAnimationFrame", (id: number) => frames.delete(id));
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function paint(): void {
  const due = [...frames.values()];
  frames.clear();
  for (const run of due) run();
}

it("does nothing before the paint, at most ten times a second, and rests at the end", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const settle = makeSettle(
    clock,
    () => log.push("soon"),
    () => log.push("rest"),
  );
  settle.touch();
  expect(log).toEqual([]);
  paint();
  expect(log).toEqual([]);
  clock.pass(25);
  expect(log).toEqual(["soon"]);
  for (let step = 0; step < 60; step++) {
    settle.touch();
    clock.pass(16);
    paint();
  }
  expect(log.length).toBeLessThanOrEqual(11);
  expect(log).not.toContain("rest");
  clock.pass(120);
  paint();
  clock.pass(120);
  expect(log.filter((entry) => entry === "rest")).toHaveLength(1);
});

it("leaves nothing behind when it is closed", () => {
  const clock = new FakeClock();
  const settle = makeSettle(
    clock,
    () => {
      throw new Error("ran");
    },
    () => {
      throw new Error("ran");
    },
  );
  settle.touch();
  settle.close();
  paint();
  clock.pass(1_000);
  expect(clock.pending).toBe(0);
});
