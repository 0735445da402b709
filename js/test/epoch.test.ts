import { expect, it, vi } from "vitest";
import { makeEpoch } from "../src/epoch";

it("forgets once for each newer state, and never goes back", () => {
  const forget = vi.fn();
  const epoch = makeEpoch(forget);
  epoch.adopt(2);
  epoch.adopt(2);
  epoch.adopt(1);
  expect([epoch.now(), forget.mock.calls.length]).toEqual([2, 1]);
  epoch.adopt(3);
  expect([epoch.now(), forget.mock.calls.length]).toEqual([3, 2]);
});

it("admits the frames of the newest state, which it follows", () => {
  const forget = vi.fn();
  const epoch = makeEpoch(forget);
  expect([1, 1, 3, 2, 3].map((each) => epoch.admits({ epoch: each }))).toEqual([
    true,
    true,
    true,
    false,
    true,
  ]);
  expect([epoch.now(), forget.mock.calls.length]).toEqual([3, 2]);
});
