/** Draws filters as tiles: where the values of a kernel stand, and which colour each has. */

import { colourOf, type Palette } from "./colormap";
import { type Bank, type FilterScale, scaleEnd } from "./filters";
import { cellOrigin, type Grid, type GridSpace, placeMap, visiblePlaces } from "./grid";
import { decodeValue } from "./maps";
import type { Viewport } from "./paint";

/** A kernel laid out in a plane, its slices side by side, with gaps where it is dilated. */
export interface Plate {
  readonly height: number;
  readonly width: number;
  /** Index of the value at each place, row by row; -1 for a gap. */
  readonly at: Int32Array;
}

/**
 * Lays out a kernel of depth x height x width values.
 *
 * @param room cells along a side that there is space for; gaps that do not fit are left out
 */
export function kernelPlate(
  kernel: readonly number[],
  dilation: readonly number[] = [],
  room = Infinity,
): Plate {
  const [depth = 1, rows = 1, columns = 1] = kernel;
  const [, down = 1, right = 1] = dilation;
  const reach = (columns - 1) * right + 1;
  const height = (rows - 1) * down + 1;
  const width = depth * (reach + 1) - 1;
  if (Math.max(height, width) > room && down * right > 1) return kernelPlate(kernel);
  const at = new Int32Array(height * width).fill(-1);
  for (let i = 0; i < depth * rows * columns; i++) {
    const x = (i % columns) * right + Math.floor(i / (rows * columns)) * (reach + 1);
    const y = (Math.floor(i / columns) % rows) * down;
    at[y * width + x] = i;
  }
  return { height, width, at };
}

/** Lays out a row of values in a square, line by line. */
export function rowPlate(count: number): Plate {
  const width = Math.ceil(Math.sqrt(count));
  const height = Math.ceil(count / width);
  const at = Int32Array.from({ length: height * width }, (_, i) => (i < count ? i : -1));
  return { height, width, at };
}

/** Colour of a value on a scale from -end to end, or from 0 where values have no sign. */
export function weightColour(
  value: number,
  end: number,
  colours: Palette,
  isSigned = true,
): number {
  const scale = { mode: "layer", low: 0, high: 0, diverging: isSigned } as const;
  return colourOf(value, { low: isSigned ? -end : 0, high: end }, scale, colours);
}

/** Colour of three weights, each the brightness of one of red, green and blue; 0 is grey. */
export function mixedColour(
  valueAt: (colour: number) => number,
  end: number,
  grey: Palette,
): number {
  let mixed = 255 << 24;
  for (const colour of [0, 1, 2]) {
    const shade = weightColour(valueAt(colour), end, grey);
    if (!Number.isFinite(valueAt(colour))) return shade;
    mixed |= (shade & 255) << (8 * colour);
  }
  return mixed >>> 0;
}

/** Colour of each value of a tile, by index. */
export type Ink = (item: number) => (index: number) => number;

/** How the filters of a bank are coloured. */
export function bankInk(bank: Bank, scale: FilterScale, colours: Palette): Ink {
  const { codes, ends, signed, form, sides } = bank;
  const [planes = 1, height = 1, width = 1] = sides;
  const whole = scaleEnd(bank, "layer", 0);
  return (filter) => {
    const own = ends[filter] ?? 0;
    const end = scale === "layer" ? whole : own;
    const start = filter * planes * height * width;
    const valueAt = (index: number) =>
      decodeValue(codes[start + index] ?? 0, signed ? -own : 0, own);
    return (index) =>
      form === "colour"
        ? mixedColour((colour) => valueAt(colour * height * width + index), end, colours)
        : weightColour(valueAt(index), end, colours, signed);
  };
}

/** Draws the tiles of the visible rows, each as one plate enlarged by a whole number. */
export function paintPlates(
  view: Viewport,
  grid: Grid,
  order: Uint32Array,
  scroll: number,
  { height, width, at }: Plate,
  inkOf: Ink,
): void {
  const { scale, dx, dy } = placeMap(grid.tile, height, width);
  const [first, last] = visiblePlaces(grid, order.length, scroll);
  for (let place = first; place < last; place++) {
    const ink = inkOf(order[place] ?? 0);
    const { x, y } = cellOrigin(grid, place);
    at.forEach((index, cell) => {
      if (index < 0) return;
      const row = Math.floor(cell / width);
      const left = x + dx + (cell - row * width) * scale;
      fillRect(view, left, y + dy - scroll + row * scale, scale, scale, ink(index));
    });
  }
}

/** Where the rows of a matrix stand: one below the other, each of columns of whole pixels. */
export function layoutRows(space: GridSpace, columns: number, rowPx: number): Grid {
  const tile = columns * Math.max(1, Math.floor(space.width / columns));
  return { ...space, tile, label: 0, gap: 0, columns: 1, pitchX: tile, pitchY: rowPx };
}

/** Draws the visible rows of a matrix. */
export function paintRows(
  view: Viewport,
  grid: Grid,
  order: Uint32Array,
  scroll: number,
  columns: number,
  inkOf: Ink,
): void {
  const scale = Math.round(grid.tile / columns);
  const [first, last] = visiblePlaces(grid, order.length, scroll);
  for (let place = first; place < last; place++) {
    const ink = inkOf(order[place] ?? 0);
    for (let x = 0; x < columns; x++) {
      fillRect(view, x * scale, place * grid.pitchY - scroll, scale, grid.pitchY, ink(x));
    }
  }
}

/** Fills what of a rectangle is in the viewport. */
function fillRect(
  { pixels, width, height }: Viewport,
  left: number,
  top: number,
  wide: number,
  high: number,
  colour: number,
): void {
  const right = Math.min(width, left + wide);
  for (let y = Math.max(0, top); y < Math.min(height, top + high); y++) {
    for (let x = left; x < right; x++) pixels[y * width + x] = colour;
  }
}
