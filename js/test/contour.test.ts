import { expect, it } from "vitest";
import { contourPath } from "../src/contour";

type Corners = [number, number, number, number];

/** Middles of the sides of a cell: top, right, bottom, left. */
const SIDES = ["1 0.5", "1.5 1", "1 1.5", "0.5 1"];

/** The points of a path, two by two. */
function lines(path: string): number[][] {
  return path
    .split("M")
    .slice(1)
    .map((line) => line.split(/[L ]/).map(Number));
}

it("goes around a single value, half way to its neighbours", () => {
  const path = contourPath([0, 0, 0, 0, 1, 0, 0, 0, 0], 3, 3, 0.5);
  const points = lines(path).flatMap(([x1, y1, x2, y2]) => [`${x1} ${y1}`, `${x2} ${y2}`]);
  expect(new Set(points)).toEqual(new Set(["1.5 1", "1.5 2", "1 1.5", "2 1.5"]));
  expect(lines(path)).toHaveLength(4);
});

it("is straight along an edge, where the values cross the level", () => {
  expect(lines(contourPath([0, 1, 0, 1], 2, 2, 0.25))).toEqual([[0.8, 0.5, 0.8, 1.5]]);
  expect(lines(contourPath([0, 0, 4, 4], 2, 2, 1))).toEqual([[1.5, 0.8, 0.5, 0.8]]);
});

it.each(Array.from({ length: 16 }, (_, pattern) => pattern))(
  "crosses the sides between inside and outside and no others: corners %i",
  (pattern) => {
    const [a, b, c, d] = [1, 2, 4, 8].map((corner) => (pattern & corner ? 1 : -1)) as Corners;
    const clockwise = [a, b, c, d, a];
    const crossed = SIDES.filter((_, n) => clockwise[n] !== clockwise[n + 1]);
    const found = lines(contourPath([a, b, d, c], 2, 2, 0));
    const ends = found.flatMap(([x1, y1, x2, y2]) => [`${x1} ${y1}`, `${x2} ${y2}`]);
    expect(ends.sort()).toEqual(crossed.sort());
  },
);

it("cuts each corner of a saddle off from the middle", () => {
  expect(lines(contourPath([1, -1, -1, 1], 2, 2, 0))).toEqual([
    [0.5, 1, 1, 0.5],
    [1.5, 1, 1, 1.5],
  ]);
  expect(lines(contourPath([-1, 1, 1, -1], 2, 2, 0))).toEqual([
    [1, 0.5, 1.5, 1],
    [1, 1.5, 0.5, 1],
  ]);
});

it("keeps two corners of a saddle apart", () => {
  expect(lines(contourPath([1, 0, 0, 1], 2, 2, 0.5))).toHaveLength(2);
  expect(lines(contourPath([0, 1, 1, 0], 2, 2, 0.5))).toHaveLength(2);
});

it("is empty where nothing crosses the level, and takes what is no number as outside", () => {
  expect(contourPath([1, 1, 1, 1], 2, 2, 0.5)).toBe("");
  expect(contourPath([0, 0, 0, 0], 2, 2, 0.5)).toBe("");
  expect(lines(contourPath([Number.NaN, 1, Number.NaN, 1], 2, 2, 0.5))).toHaveLength(1);
});

it("stays short for a large map", () => {
  const size = 500;
  const values = Float32Array.from({ length: size * size }, (_, i) =>
    Math.hypot((i % size) - 250, Math.floor(i / size) - 250),
  );
  const path = contourPath(values, size, size, 150);
  const found = lines(path).map(([x = 0, y = 0]) => Math.hypot(x - 250.5, y - 250.5));
  expect(Math.max(...found) - Math.min(...found)).toBeLessThan(1);
  expect(found.length).toBeLessThan(400);
});
