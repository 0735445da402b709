import { expect, it } from "vitest";
import { makeTraitWriter } from "../src/traits";
import { FakeClock } from "./clock";
import { FakeModel } from "./model";

it("writes at most five times a second, the last value always", () => {
  const clock = new FakeClock();
  const model = new FakeModel();
  const writer = makeTraitWriter(model.model, clock);
  for (let i = 1; i <= 100; i++) {
    writer.write({ channel: i });
    clock.pass(10);
  }
  expect(model.saves).toBeLessThanOrEqual(6);
  clock.pass(200);
  expect(model.get("channel")).toBe(100);
  expect(clock.pending).toBe(0);
});

it("tells what is on its way, and flushes it", () => {
  const clock = new FakeClock();
  const model = new FakeModel();
  const writer = makeTraitWriter(model.model, clock);
  writer.write({ layer: "head" });
  expect(writer.isPending("layer")).toBe(true);
  expect(writer.isPending("image")).toBe(false);
  writer.flush();
  expect([model.get("layer"), model.saves, writer.isPending("layer")]).toEqual(["head", 1, false]);
  writer.flush();
  expect(model.saves).toBe(1);
});
