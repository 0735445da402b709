import { describe, expect, it } from "vitest";
import { makeLuts, type Scale } from "../src/colormap";
import { cellOrigin, layoutGrid, placeMap } from "../src/grid";
import type { Maps } from "../src/maps";
import { channelOrder } from "../src/order";
import { paintMaps, type Viewport } from "../src/paint";
import { palette } from "../src/palettes";
import { mapsOf } from "./frames";

const scale: Scale = { mode: "channel", low: 0, high: 1, diverging: false };
const grey = palette("gray");

function viewport(width: number, height: number): Viewport {
  return { pixels: new Uint32Array(width * height), width, height };
}

/** The same picture, one pixel at a time. */
function slowPaint(
  view: Viewport,
  maps: Maps,
  space: ReturnType<typeof layoutGrid>,
  scroll: number,
) {
  const { scale: zoom, dx, dy } = placeMap(space.tile, maps.height, maps.width);
  const luts = makeLuts(maps, scale, grey);
  for (let channel = 0; channel < maps.channels; channel++) {
    const lut = luts(channel);
    const { x, y } = cellOrigin(space, channel);
    for (let row = 0; row < maps.height * zoom; row++) {
      for (let column = 0; column < maps.width * zoom; column++) {
        const left = x + dx + column;
        const top = y + dy + row - scroll;
        if (left >= view.width || top < 0 || top >= view.height) continue;
        const at = Math.floor(row / zoom) * maps.width + Math.floor(column / zoom);
        const code = maps.codes[channel * maps.height * maps.width + at] ?? 0;
        view.pixels[top * view.width + left] = lut[code] ?? 0;
      }
    }
  }
}

function ramp(channels: number, height: number, width: number): Maps {
  const codes = Array.from({ length: channels * height * width }, (_, i) => (i * 37) % 256);
  const low = Array.from({ length: channels }, (_, i) => -i);
  const high = Array.from({ length: channels }, (_, i) => i + 1);
  return mapsOf([channels, height, width], codes, low, high);
}

describe("paintMaps", () => {
  it.each([
    { channels: 9, height: 5, width: 5, tile: 20, scroll: 0 },
    { channels: 9, height: 5, width: 5, tile: 20, scroll: 13 },
    { channels: 30, height: 7, width: 3, tile: 16, scroll: 31 },
    { channels: 4, height: 20, width: 20, tile: 20, scroll: 3 },
    { channels: 2, height: 1, width: 1, tile: 8, scroll: 0 },
    { channels: 0, height: 3, width: 3, tile: 8, scroll: 0 },
  ])("equals the slow picture for %o", ({ channels, height, width, tile, scroll }) => {
    const grid = layoutGrid({ width: 75, height: 60, tile, gap: 4, label: 6 });
    const maps = ramp(channels, height, width);
    const fast = viewport(75, 60);
    const slow = viewport(75, 60);
    paintMaps(fast, grid, maps, channelOrder(maps, "index"), scroll, makeLuts(maps, scale, grey));
    slowPaint(slow, maps, grid, scroll);
    expect(fast.pixels).toEqual(slow.pixels);
  });

  it("keeps maps that are larger than a tile inside it, until smaller ones arrive", () => {
    const grid = layoutGrid({ width: 75, height: 60, tile: 8, gap: 4, label: 6 });
    const maps = ramp(6, 20, 17);
    const view = viewport(75, 60);
    const lutOf = makeLuts(maps, scale, grey);
    paintMaps(view, grid, maps, channelOrder(maps, "index"), 0, lutOf);
    const { x } = cellOrigin(grid, 1);
    const inside = (n: number) => n % grid.pitchX < grid.tile && n < 6 * grid.pitchX;
    view.pixels.forEach((pixel, at) => {
      const [column, row] = [at % view.width, Math.floor(at / view.width)];
      if (!inside(column) || row % grid.pitchY >= grid.tile) expect(pixel, `${at}`).toBe(0);
    });
    // Of 20 x 17 values every third in both directions: 7 x 6 of them.
    const value = (row: number, column: number) =>
      maps.codes[(20 + 3 * row) * 17 + 3 * column] ?? 0;
    const { dx, dy } = placeMap(8, 7, 6);
    expect(view.pixels[dy * 75 + x + dx]).toBe(lutOf(1)[value(0, 0)]);
    expect(view.pixels[(dy + 6) * 75 + x + dx + 5]).toBe(lutOf(1)[value(6, 5)]);
  });

  it("cuts off whole values where a tile is wider than the view", () => {
    const grid = layoutGrid({ width: 10, height: 30, tile: 24, gap: 4, label: 0 });
    const maps = ramp(1, 6, 6);
    const view = viewport(10, 30);
    paintMaps(view, grid, maps, channelOrder(maps, "index"), 0, makeLuts(maps, scale, grey));
    expect(view.pixels[8]).toBe(0);
    expect(view.pixels[7]).not.toBe(0);
  });
});
