import { describe, expect, it } from "vitest";
import {
  bankInk,
  kernelPlate,
  layoutRows,
  mixedColour,
  paintPlates,
  paintRows,
  rowPlate,
  weightColour,
} from "../src/filterpaint";
import { layoutGrid } from "../src/grid";
import { palette } from "../src/palettes";
import { bankOf } from "./filtermodel";

const grey = palette("gray");
const viridis = palette("viridis");

/** Brightness of a packed grey. */
const shade = (colour: number) => colour & 255;

describe("the plate of a kernel", () => {
  it("is the kernel itself where nothing is special", () => {
    expect(kernelPlate([1, 2, 3])).toEqual({
      height: 2,
      width: 3,
      at: Int32Array.from([0, 1, 2, 3, 4, 5]),
    });
  });

  it("has slices side by side, a gap between them", () => {
    expect([...kernelPlate([2, 2, 1]).at]).toEqual([0, -1, 2, 1, -1, 3]);
  });

  it("has the gaps of a dilated kernel where there is room", () => {
    const plate = kernelPlate([1, 2, 2], [1, 2, 3], 4);
    expect([plate.height, plate.width]).toEqual([3, 4]);
    expect([...plate.at]).toEqual([0, -1, -1, 1, -1, -1, -1, -1, 2, -1, -1, 3]);
    expect([...kernelPlate([1, 2, 2], [1, 2, 3], 3).at]).toEqual([0, 1, 2, 3]);
  });

  it("holds every value once, whatever its shape", () => {
    for (const kernel of [
      [3, 2, 4],
      [1, 1, 7],
      [2, 5, 1],
    ]) {
      const { at } = kernelPlate(kernel, [1, 2, 2]);
      const values = [...at].filter((index) => index >= 0).sort((a, b) => a - b);
      const count = kernel.reduce((product, side) => product * side, 1);
      expect(values).toEqual(Array.from({ length: count }, (_, i) => i));
    }
  });
});

it("wraps a row of values into a square", () => {
  const plate = rowPlate(5);
  expect([plate.height, plate.width]).toEqual([2, 3]);
  expect([...plate.at]).toEqual([0, 1, 2, 3, 4, -1]);
});

describe("colours", () => {
  it("have zero in the middle and the ends at the ends", () => {
    expect([-2, 0, 2, 1].map((value) => shade(weightColour(value, 2, grey)))).toEqual([
      0, 128, 255, 191,
    ]);
    expect(shade(weightColour(0, 0, grey))).toBe(128);
  });

  it("begin at zero where values have no sign", () => {
    expect(weightColour(0, 3, viridis, false)).toBe(viridis.table[0]);
    expect(weightColour(3, 3, viridis, false)).toBe(viridis.table[255]);
  });

  it("mix three weights as red, green and blue", () => {
    const mixed = mixedColour((colour) => [1, 0, -1][colour] ?? 0, 1, grey);
    expect([mixed & 255, (mixed >> 8) & 255, (mixed >> 16) & 255, mixed >>> 24]).toEqual([
      255, 128, 0, 255,
    ]);
  });

  it("show what is no number as such", () => {
    expect(mixedColour((colour) => [1, NaN, 0][colour] ?? 0, 1, grey)).toBe(grey.special.nan);
    expect(weightColour(-Infinity, 1, grey)).toBe(grey.special.neginf);
  });

  it("of a bank follow its codes on the scale in force", () => {
    const bank = bankOf({ sides: [1, 1, 2], codes: [0, 126, 252, 189], ends: [1, 2] });
    const all = (scale: "layer" | "filter") =>
      [0, 1].map((filter) => [0, 1].map((i) => shade(bankInk(bank, scale, grey)(filter)(i))));
    expect(all("filter")).toEqual([
      [0, 128],
      [255, 191],
    ]);
    expect(all("layer")).toEqual([
      [64, 128],
      [255, 191],
    ]);
  });

  it("of a bank in colour read their three planes", () => {
    const codes = [252, 126, 0];
    const bank = bankOf({ form: "colour", sides: [3, 1, 1], codes, ends: [1] });
    const mixed = bankInk(bank, "layer", grey)(0)(0);
    expect([mixed & 255, (mixed >> 8) & 255, (mixed >> 16) & 255]).toEqual([255, 128, 0]);
  });
});

const ink = (item: number) => (index: number) => 10 * (item + 1) + index;

describe("painting", () => {
  it("enlarges plates by whole numbers and leaves gaps alone", () => {
    const grid = layoutGrid({ width: 9, height: 4, tile: 4, gap: 1, label: 0 });
    const view = { pixels: new Uint32Array(36), width: 9, height: 4 };
    paintPlates(view, grid, Uint32Array.from([1, 0]), 0, kernelPlate([1, 2, 1], [1, 1, 1]), ink);
    const rows = [0, 1, 2, 3].map((y) => [...view.pixels.subarray(9 * y, 9 * y + 9)]);
    expect(rows[0]).toEqual([0, 20, 20, 0, 0, 0, 10, 10, 0]);
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[3]).toEqual([0, 21, 21, 0, 0, 0, 11, 11, 0]);
  });

  it("draws the rows of a matrix that are in view", () => {
    const grid = layoutRows({ width: 7, height: 3, tile: 4, gap: 1, label: 2 }, 3, 2);
    expect([grid.tile, grid.pitchY, grid.columns]).toEqual([6, 2, 1]);
    const view = { pixels: new Uint32Array(21), width: 7, height: 3 };
    paintRows(view, grid, Uint32Array.from([0, 1, 2]), 1, 3, ink);
    const rows = [0, 1, 2].map((y) => [...view.pixels.subarray(7 * y, 7 * y + 7)]);
    expect(rows).toEqual([
      [10, 10, 11, 11, 12, 12, 0],
      [20, 20, 21, 21, 22, 22, 0],
      [20, 20, 21, 21, 22, 22, 0],
    ]);
  });
});
