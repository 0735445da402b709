import { describe, expect, it } from "vitest";
import { extentIn, percentileOf, sortedSizes, valuesIn } from "../src/clipping";

const values = Float32Array.of(-3, 0.5, 2, -0.1, 7, 0.25, -6.5, 1);

describe("the form of the values", () => {
  it("keeps, folds or cuts what is negative", () => {
    const some = Float32Array.of(-2, 0, 3, NaN, -Infinity);
    expect([...valuesIn("signed", some)]).toEqual([-2, 0, 3, NaN, -Infinity]);
    expect([...valuesIn("absolute", some)]).toEqual([2, 0, 3, NaN, Infinity]);
    expect([...valuesIn("positive", some)]).toEqual([0, 0, 3, NaN, 0]);
  });

  it("decides where the scale begins", () => {
    expect(extentIn("signed", 2)).toEqual({ low: -2, high: 2 });
    expect(extentIn("absolute", 2)).toEqual({ low: 0, high: 2 });
  });
});

describe("percentiles", () => {
  const sorted = sortedSizes(values);

  // np.percentile(np.abs(values).astype(np.float64), p)
  it.each([
    [0, 0.10000000149011612],
    [37.5, 0.8125],
    [50, 1.5],
    [80, 5.100000000000001],
    [90, 6.65],
    [95.5, 6.842499999999999],
    [99, 6.965],
    [99.5, 6.9825],
    [100, 7],
  ])("the %fth is NumPy's, to the last bit", (percentile, expected) => {
    expect(percentileOf(sorted, percentile)).toBe(expected);
  });

  it("leaves out what is no finite number", () => {
    expect([...sortedSizes(Float32Array.of(3, NaN, -1, Infinity))]).toEqual([1, 3]);
    expect(percentileOf(sortedSizes(Float32Array.of(NaN)), 99)).toBe(0);
    expect(percentileOf(sortedSizes(Float32Array.of(-4)), 99)).toBe(4);
  });
});
