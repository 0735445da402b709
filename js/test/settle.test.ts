import { beforeEach, expect, it } from "vitest";
import { makeSettle, type Settle } from "../src/settle";
import { FakeClock } from "./clock";

let clock: FakeClock;
let log: string[];
let settle: Settle;

beforeEach(() => {
  clock = new FakeClock();
  log = [];
  settle = makeSettle(
    clock,
    () => log.push("soon"),
    () => log.push("rest"),
  );
});

it("does nothing in the frames right after a step, and rests at the end", () => {
  settle.touch();
  clock.pass(99);
  expect(log).toEqual([]);
  clock.pass(1);
  expect(log).toEqual(["soon"]);
  clock.pass(50);
  expect(log).toEqual(["soon", "rest"]);
});

it("follows a drag a few times a second", () => {
  for (let step = 0; step < 120; step++) {
    settle.touch();
    clock.pass(16);
  }
  expect(log.length).toBeGreaterThanOrEqual(5);
  expect(log.length).toBeLessThanOrEqual(8);
  expect(log).not.toContain("rest");
  clock.pass(200);
  expect(log.filter((entry) => entry === "rest")).toHaveLength(1);
  expect(log.at(-2)).toBe("soon");
});

it("leaves nothing behind when it is closed", () => {
  settle.touch();
  settle.close();
  expect(clock.pending).toBe(0);
});
