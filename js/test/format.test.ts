import { expect, it } from "vitest";
import {
  formatExact,
  formatNumber,
  formatProbability,
  formatShape,
  formatShare,
  roundOut,
} from "../src/format";

it.each([
  [0, "0"],
  [-0, "0"],
  [4.2134567, "4.213"],
  [-1280, "-1280"],
  [123456, "1.23e5"],
  [0.00012346, "0.0001235"],
  [0.000012345, "1.23e-5"],
  [NaN, "NaN"],
  [Infinity, "+Inf"],
  [-Infinity, "-Inf"],
])("writes %d as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

it.each([0.1, 0.8314, 1 / 3, 123456.79, 1e-40, 3.4028234663852886e38, -2.5])(
  "writes the float32 of %d so that it can be read back",
  (value) => {
    const single = Math.fround(value);
    expect(Math.fround(Number(formatExact(single)))).toBe(single);
  },
);

it("writes a float32 no longer than it must be", () => {
  expect(formatExact(Math.fround(0.1))).toBe("0.1");
  expect(formatExact(NaN)).toBe("NaN");
});

it.each([
  [0, 100, "0 %"],
  [100, 100, "100 %"],
  [1, 3, "33.33 %"],
  [0, 0, "0 %"],
])("writes %d of %d as %s", (part, whole, text) => {
  expect(formatShare(part, whole)).toBe(text);
});

it("leaves the batch out of a shape", () => {
  expect(formatShape([8, 256, 14, 14])).toBe("256 × 14 × 14");
});

it.each([
  [-1.30887, 2.32345, -1.31, 2.33],
  [0, 0, 0, 0],
  [3, 3, 3, 3],
  [1234.5, 5678.9, 1230, 5680],
])("rounds %d to %d outwards", (low, high, below, above) => {
  const rounded = roundOut({ low, high });
  expect(rounded).toEqual({ low: below, high: above });
  expect(rounded.low).toBeLessThanOrEqual(low);
  expect(rounded.high).toBeGreaterThanOrEqual(high);
});

it("never rounds a probability to certainty", () => {
  const shares = [0, 0.0004, 0.0005, 0.25, 0.7541, 0.9994, 0.9996, 1];
  const texts = ["< 0.001", "< 0.001", "0.001", "0.250", "0.754", "0.999", "> 0.999", "> 0.999"];
  expect(shares.map(formatProbability)).toEqual(texts);
});
