/** Draws coded maps into a viewport of packed pixels, enlarged by whole numbers. */

import { cellOrigin, type Grid, placeMap, visiblePlaces } from "./grid";
import type { Maps } from "./maps";

/** Pixels of a viewport, row by row; 0 is transparent. */
export interface Viewport {
  readonly pixels: Uint32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the tiles of the visible rows. It writes the pixels of the maps and nothing else.
 *
 * @param order channel at each place of the grid
 * @param scroll device pixels that the content is moved up
 */
export function paintMaps(
  view: Viewport,
  grid: Grid,
  maps: Maps,
  order: Uint32Array,
  scroll: number,
  lutOf: (channel: number) => Uint32Array,
): void {
  const drawn = thinned(maps, grid.tile);
  const { scale, dx, dy } = placeMap(grid.tile, drawn.height, drawn.width);
  const [first, last] = visiblePlaces(grid, order.length, scroll);
  for (let place = first; place < last; place++) {
    const channel = order[place] ?? 0;
    const { x, y } = cellOrigin(grid, place);
    paintMap(view, drawn, channel, lutOf(channel), x + dx, y + dy - scroll, scale);
  }
}

type Codes = Pick<Maps, "codes" | "height" | "width">;

/** Of maps larger than a tile every so many-th value: they are shown until smaller ones arrive. */
function thinned(maps: Maps, tile: number): Codes {
  const { channels, height, width, codes } = maps;
  const step = Math.ceil(Math.max(height, width) / tile);
  if (step < 2) return maps;
  const rows = Math.ceil(height / step);
  const columns = Math.ceil(width / step);
  const at = (n: number) => {
    const row = Math.floor(n / columns);
    const channel = Math.floor(row / rows);
    return (channel * height + (row % rows) * step) * width + (n % columns) * step;
  };
  const picked = Uint8Array.from(
    { length: channels * rows * columns },
    (_, n) => codes[at(n)] ?? 0,
  );
  return { codes: picked, height: rows, width: columns };
}

/** Draws one map with its corner at (left, top); rows outside the viewport are left out. */
function paintMap(
  view: Viewport,
  maps: Codes,
  channel: number,
  lut: Uint32Array,
  left: number,
  top: number,
  scale: number,
): void {
  const { codes, height, width } = maps;
  const { pixels } = view;
  const columns = Math.min(width, Math.floor((view.width - left) / scale));
  let source = channel * height * width;
  for (let row = 0; row < height; row++, source += width) {
    const from = Math.max(0, top + row * scale);
    const to = Math.min(view.height, top + (row + 1) * scale);
    if (from >= to) continue;
    const start = from * view.width + left;
    expandRow(pixels, start, codes, source, columns, lut, scale);
    for (let line = from + 1; line < to; line++) {
      pixels.copyWithin(line * view.width + left, start, start + columns * scale);
    }
  }
}

/** Writes one row of values, each `scale` pixels wide. */
function expandRow(
  pixels: Uint32Array,
  start: number,
  codes: Uint8Array,
  source: number,
  columns: number,
  lut: Uint32Array,
  scale: number,
): void {
  let at = start;
  if (scale === 1) {
    for (let x = 0; x < columns; x++) pixels[at++] = lut[codes[source + x] as number] as number;
    return;
  }
  for (let x = 0; x < columns; x++) {
    const colour = lut[codes[source + x] as number] as number;
    for (let n = 0; n < scale; n++) pixels[at++] = colour;
  }
}
