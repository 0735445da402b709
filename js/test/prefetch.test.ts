import { describe, expect, it } from "vitest";
import { estimateBytes, planRun } from "../src/prefetch";

const sizes = [200_000, 200_000, 200_000, 200_000, 200_000];
const none = () => false;

describe("planRun", () => {
  it("asks for the nearest layers first, about 500 kB at a time", () => {
    expect(planRun(sizes, 2, none, 1e9)).toEqual([2, 3, 1]);
  });

  it("leaves out what is in the page", () => {
    expect(planRun(sizes, 2, (place) => place > 0 && place < 4, 1e9)).toEqual([4, 0]);
    expect(planRun(sizes, 2, () => true, 1e9)).toEqual([]);
  });

  it("asks for no more than the store can hold", () => {
    expect(planRun(sizes, 2, (place) => place === 2, 650_000)).toEqual([3, 1]);
  });

  it("brings a whole network into the page in few runs", () => {
    const present = new Set<number>();
    const many = new Array<number>(52).fill(110_000);
    let runs = 0;
    for (;;) {
      const places = planRun(many, 20, (place) => present.has(place), 50e6);
      if (places.length === 0) break;
      for (const place of places) present.add(place);
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
