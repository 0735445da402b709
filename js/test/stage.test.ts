import { expect, it } from "vitest";
import { remarkOn } from "../src/stage";
import { mapsOf } from "./frames";

it.each([
  ["a dead layer", [0, 0, 0, 0], [0, 0], "Every value of this layer is 0"],
  ["a layer without numbers", [253, 253, 254, 255], [0, 0], "No value of this layer is a finite"],
  ["a layer with some numbers", [253, 253, 0, 0], [0, 0], ""],
  ["a layer that lives", [0, 252, 0, 0], [1, 0], ""],
])("says of %s what it is", (_, codes, high, text) => {
  const remark = remarkOn(mapsOf([2, 1, 2], codes, [0, 0], high));
  expect(remark.startsWith(text) && (text !== "" || remark === "")).toBe(true);
});
