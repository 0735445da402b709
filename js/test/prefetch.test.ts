import { describe, expect, it } from "vitest";
import { estimateBytes, PrefetchPlan } from "../src/prefetch";

const layers = ["a", "b", "c", "d", "e"].map((name) => ({ name, bytes: 200_000 }));
const none = () => false;

describe("PrefetchPlan", () => {
  it("asks for the nearest layers first, about 500 kB at a time", () => {
    expect(new PrefetchPlan().next(layers, 2, none, 1e9)).toEqual(["c", "d", "b"]);
  });

  it("leaves out what is in the page", () => {
    const has = (name: string) => "bcd".includes(name);
    expect(new PrefetchPlan().next(layers, 2, has, 1e9)).toEqual(["e", "a"]);
    expect(new PrefetchPlan().next(layers, 2, () => true, 1e9)).toEqual([]);
  });

  it("asks for no more than the store can hold", () => {
    const has = (name: string) => name === "c";
    expect(new PrefetchPlan().next(layers, 2, has, 650_000)).toEqual(["d", "b"]);
  });

  it("stops asking for a layer that never comes", () => {
    const plan = new PrefetchPlan();
    plan.finished(["c", "d"], []);
    expect(plan.next(layers, 2, none, 1e9)[0]).toBe("c");
    plan.finished(["c", "d"], []);
    expect(plan.next(layers, 2, none, 1e9)[0]).toBe("d");
    plan.forget();
    expect(plan.next(layers, 2, none, 1e9)[0]).toBe("c");
  });

  it("brings a whole network into the page", () => {
    const present = new Set<string>();
    const plan = new PrefetchPlan();
    const many = Array.from({ length: 52 }, (_, i) => ({ name: `l${i}`, bytes: 110_000 }));
    let runs = 0;
    for (;;) {
      const names = plan.next(many, 20, (name) => present.has(name), 50e6);
      if (names.length === 0) break;
      for (const name of names) present.add(name);
      runs += 1;
    }
    expect(present.size).toBe(52);
    expect(runs).toBeLessThanOrEqual(12);
  });
});

it.each([
  [[1, 64, 56, 56], "NCHW", 112, 64 * (56 * 56 + 24)],
  [[1, 64, 224, 224], "NCHW", 112, 64 * (112 * 112 + 24)],
  [[1, 14, 14, 512], "NHWC", 112, 512 * (14 * 14 + 24)],
  [[1, 1000], "NC", 112, 4000],
])("estimates the bytes of %j %s", (shape, layout, tile, bytes) => {
  expect(estimateBytes(shape, layout, tile)).toBe(bytes);
});
