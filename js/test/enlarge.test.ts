import { expect, it } from "vitest";
import { enlargement, enlargePicture } from "../src/enlarge";

it("enlarges small pictures alone, by whole numbers", () => {
  expect([28, 64, 159, 160, 224].map((side) => enlargement(side, 10))).toEqual([16, 7, 3, 1, 1]);
  expect(enlargement(10, 28)).toBe(16);
  expect(enlargement(0, 0)).toBe(1);
});

it("repeats each pixel down and across", () => {
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const { data: large, shape } = enlargePicture({ data, shape: [1, 2, 3] }, 2);
  const row = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6];
  expect(shape).toEqual([2, 4, 3]);
  expect([...large]).toEqual([...row, ...row]);
});

it("leaves a picture that is large enough as it is", () => {
  const data = Uint8Array.of(1, 2, 3);
  expect(enlargePicture({ data, shape: [1, 1, 3] }, 1).data).toBe(data);
});
