import { expect, it } from "vitest";
import { BINS, countBins, extentOf } from "../src/histogram";

it("counts every finite value once, the ends included", () => {
  const values = Float32Array.from([0, 1, 2, 39, 40, 40, NaN, Infinity, -Infinity]);
  const extent = extentOf(values);
  expect(extent).toEqual({ low: 0, high: 40 });
  const counts = countBins(values, { low: 0, high: 40 });
  expect(counts).toHaveLength(BINS);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6);
  expect([counts[0], counts[1], counts[2], counts[39]]).toEqual([1, 1, 1, 3]);
});

it("puts a constant into the first bin", () => {
  expect(countBins(new Float32Array(5).fill(2), { low: 2, high: 2 })[0]).toBe(5);
});

it("has no extent without a finite value", () => {
  expect(extentOf(Float32Array.from([NaN, Infinity]))).toBeNull();
  expect(extentOf(new Float32Array())).toBeNull();
});
