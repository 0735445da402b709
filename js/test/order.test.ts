import { expect, it } from "vitest";
import { channelOrder, vectorOrder } from "../src/order";
import { mapsOf } from "./frames";

const maps = mapsOf([4, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 4, 2, 4]);

it("puts the largest first and equal ones by index", () => {
  expect([...channelOrder(maps, "maximum")]).toEqual([1, 3, 2, 0]);
  expect([...channelOrder(maps, "index")]).toEqual([0, 1, 2, 3]);
  expect([...channelOrder(maps, "zeros")]).toEqual([0, 1, 2, 3]);
});

it("puts NaN last", () => {
  const values = Float32Array.from([Number.NaN, 1, -Infinity, Infinity]);
  expect([...vectorOrder(values, "maximum")]).toEqual([3, 1, 0, 2]);
  expect([...vectorOrder(values, "index")]).toEqual([0, 1, 2, 3]);
});
