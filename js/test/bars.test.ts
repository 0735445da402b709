import { expect, it } from "vitest";
import { barSpan } from "../src/bars";

it.each([
  [3, -1, 3, 0.25, 0.75],
  [-1, -1, 3, 0, 0.25],
  [2, 1, 4, 0, 0.5],
  [-2, -4, -1, 0.5, 0.5],
  [0, 0, 0, 0, 0],
  [NaN, -1, 1, 0.5, 0],
])("draws %d on an axis from %d to %d", (value, low, high, left, width) => {
  expect(barSpan(value, low, high)).toEqual({ left, width });
});
