import { describe, expect, it } from "vitest";
import {
  cellAt,
  cellOrigin,
  clampScroll,
  contentHeight,
  type Grid,
  layoutGrid,
  moveCell,
  placeMap,
  visiblePlaces,
} from "../src/grid";

const space = { width: 700, height: 500, tile: 112, gap: 6, label: 14 };
const grid = layoutGrid(space);

describe("layoutGrid", () => {
  it("spreads whole tiles over the width", () => {
    expect(grid.columns).toBe(5);
    expect(grid.pitchX).toBe(112 + 28);
    expect(grid.pitchY).toBe(132);
    expect((grid.columns - 1) * grid.pitchX + grid.tile).toBeLessThanOrEqual(space.width);
  });

  it("has one column where not even one tile fits", () => {
    expect(layoutGrid({ ...space, width: 50 }).columns).toBe(1);
  });

  it.each([200, 333, 336, 518, 700, 1024, 1600])("never leaves the width of %d", (width) => {
    const made = layoutGrid({ ...space, width });
    expect((made.columns - 1) * made.pitchX + made.tile).toBeLessThanOrEqual(width);
    expect(made.pitchX - made.tile).toBeGreaterThanOrEqual(space.gap);
  });
});

describe("places", () => {
  it("are found again from any point of the tile", () => {
    for (const place of [0, 1, 4, 5, 63]) {
      const { x, y } = cellOrigin(grid, place);
      expect(cellAt(grid, 64, x, y)).toBe(place);
      expect(cellAt(grid, 64, x + 111, y + 125)).toBe(place);
    }
  });

  it("are none in the gaps, outside and behind the last", () => {
    expect(cellAt(grid, 64, 112, 5)).toBe(-1);
    expect(cellAt(grid, 64, 5, 127)).toBe(-1);
    expect(cellAt(grid, 64, -1, 5)).toBe(-1);
    expect(cellAt(grid, 64, 5 * 140, 5)).toBe(-1);
    const { x, y } = cellOrigin(grid, 64);
    expect(cellAt(grid, 64, x, y)).toBe(-1);
  });
});

describe("scrolling", () => {
  it("ends with the last row", () => {
    expect(contentHeight(grid, 64)).toBe(13 * 132 - 6);
    expect(clampScroll(grid, 64, 1e6)).toBe(13 * 132 - 6 - 500);
    expect(clampScroll(grid, 3, 700)).toBe(0);
    expect(contentHeight(grid, 0)).toBe(0);
  });

  it("shows the rows in view and no others", () => {
    expect(visiblePlaces(grid, 64, 0)).toEqual([0, 20]);
    expect(visiblePlaces(grid, 64, 140)).toEqual([5, 25]);
    expect(visiblePlaces(grid, 3, 0)).toEqual([0, 3]);
    expect(visiblePlaces(grid, 2048, 50_000)).toEqual([5 * 378, 5 * 383]);
  });
});

describe("placeMap", () => {
  it.each([
    [56, 56, 2, 0, 0],
    [14, 14, 8, 0, 0],
    [13, 13, 8, 4, 4],
    [64, 64, 1, 24, 24],
    [1, 112, 1, 0, 55],
    [112, 1, 1, 55, 0],
    [200, 200, 1, 0, 0],
  ])("puts %d x %d into 112 pixels", (height, width, scale, dx, dy) => {
    expect(placeMap(112, height, width)).toEqual({ scale, dx, dy });
  });
});

describe("moveCell", () => {
  const count = 12;
  const small: Grid = layoutGrid({ ...space, height: 264 });
  it.each([
    ["ArrowRight", 0, 1],
    ["ArrowRight", 11, 11],
    ["ArrowLeft", 0, 0],
    ["ArrowLeft", 5, 4],
    ["ArrowDown", 1, 6],
    ["ArrowDown", 8, 8],
    ["ArrowUp", 6, 1],
    ["ArrowUp", 3, 3],
    ["Home", 9, 0],
    ["End", 2, 11],
    ["PageDown", 1, 11],
    ["PageDown", 3, 8],
    ["PageUp", 11, 1],
    ["PageUp", 8, 3],
    ["a", 8, null],
  ])("%s from %d leads to %j", (key, from, to) => {
    expect(moveCell(small, count, from, key)).toBe(to);
  });
});
