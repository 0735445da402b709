/**
 * A map over a picture: enlarged as values, then coloured, then mixed with the picture. The rule is
 * that of Map.display and Map.overlay in cnnviz_widgets/attribution/map.py; tests/overlay_vectors.json
 * holds both to it.
 */

import type { Palette } from "./colormap";
import type { Extent } from "./maps";

/** Values row by row. */
export interface Field {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** For each new place the two old ones it lies between, and how far along it is. */
interface Axis {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly part: Float64Array;
}

const axes = new Map<string, Axis>();

/** Most sizes remembered; beyond, all are forgotten. */
const MAX_AXES = 256;

function axisOf(given: number, wanted: number, isSmooth: boolean): Axis {
  const key = `${given} ${wanted} ${isSmooth}`;
  const known = axes.get(key);
  if (known) return known;
  const first = new Int32Array(wanted);
  const second = new Int32Array(wanted);
  const part = new Float64Array(wanted);
  for (let i = 0; i < wanted; i++) {
    const place = isSmooth
      ? Math.max(0, Math.min((i + 0.5) * (given / wanted) - 0.5, given - 1))
      : Math.floor((i * given) / wanted);
    first[i] = Math.floor(place);
    second[i] = Math.min(Math.floor(place) + 1, given - 1);
    part[i] = place - Math.floor(place);
  }
  if (axes.size >= MAX_AXES) axes.clear();
  const made = { first, second, part };
  axes.set(key, made);
  return made;
}

/**
 * Enlarges or reduces a map: bilinear with align_corners=False, or the nearest value.
 *
 * A value that is not finite spreads to the pixels that it has a part in, and to no others.
 *
 * @returns the map's own values where it has that size already
 */
export function resizeField(
  field: Field,
  height: number,
  width: number,
  isSmooth: boolean,
): Float32Array {
  const { values, height: rows, width: columns } = field;
  if (rows === height && columns === width) return values;
  const across = axisOf(columns, width, isSmooth);
  const down = axisOf(rows, height, isSmooth);
  const wide = new Float64Array(rows * width);
  for (let y = 0, at = 0, start = 0; y < rows; y++, start += columns) {
    for (let x = 0; x < width; x++, at++) {
      const part = across.part[x] as number;
      const value = values[start + (across.first[x] as number)] as number;
      const next = values[start + (across.second[x] as number)] as number;
      wide[at] = part === 0 ? value : value * (1 - part) + next * part;
    }
  }
  const resized = new Float32Array(height * width);
  for (let y = 0, at = 0; y < height; y++) {
    const part = down.part[y] as number;
    const rest = 1 - part;
    let above = (down.first[y] as number) * width;
    let below = (down.second[y] as number) * width;
    if (part === 0) {
      for (let x = 0; x < width; x++) resized[at++] = wide[above++] as number;
    } else {
      for (let x = 0; x < width; x++) {
        resized[at++] = (wide[above++] as number) * rest + (wide[below++] as number) * part;
      }
    }
  }
  return resized;
}

/** How a map is laid over a picture. */
export interface OverlayLook {
  readonly colours: Palette;
  /** What the ends of the colour bar stand for; values beyond them have the colours of the ends. */
  readonly range: Extent;
  /** Whether a map that is all zero has the middle colour, not the first. */
  readonly diverging: boolean;
  /** 0 shows the picture alone, 1 the map alone. */
  readonly opacity: number;
  /** Values nearer to zero than this are left out, so that the picture is seen; 0 leaves out none. */
  readonly threshold: number;
}

let mixed: { readonly opacity: number; readonly levels: Uint8Array } | null = null;

/** Level of a mix at 256 * (level of the map's colour) + (level of the picture). */
function mixOf(opacity: number): Uint8Array {
  if (mixed?.opacity === opacity) return mixed.levels;
  const levels = new Uint8Array(1 << 16);
  for (let at = 0; at < levels.length; at++) {
    levels[at] = (at >> 8) * opacity + (at & 255) * (1 - opacity) + 0.5;
  }
  mixed = { opacity, levels };
  return levels;
}

/**
 * Draws a map over a picture, into pixels packed as a canvas has them.
 *
 * A value that is not finite has the colour of NaN. Without a picture the colours stand alone.
 *
 * @param values one for each pixel
 * @param rgb three bytes for each pixel, or null where the input is no picture
 */
export function paintOverlay(
  pixels: Uint32Array,
  values: Float32Array,
  rgb: ArrayLike<number> | null,
  { colours, range, diverging, opacity, threshold }: OverlayLook,
): void {
  const { table, special } = colours;
  const { low, high } = range;
  const span = high - low;
  const flat = diverging ? 127.5 : 0;
  const mix = mixOf(opacity);
  for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
    const value = values[i] as number;
    const isHidden = value < threshold && value > -threshold;
    const place = (span > 0 ? ((value - low) / span) * 255 : flat) + 0.5;
    // The difference is 0 for every number that is finite.
    const isNumber = value - value === 0;
    const row = place > 255 ? 255 : place > 0 ? place | 0 : 0;
    const colour = (isNumber ? table[row] : special.nan) as number;
    if (!rgb) {
      pixels[i] = isHidden ? 0 : colour;
      continue;
    }
    let red = rgb[at] as number;
    let green = rgb[at + 1] as number;
    let blue = rgb[at + 2] as number;
    if (!isHidden) {
      red = mix[((colour & 255) << 8) | red] as number;
      green = mix[(colour & 65280) | green] as number;
      blue = mix[((colour >> 8) & 65280) | blue] as number;
    }
    pixels[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
}

/** Draws a picture as it is. */
export function paintPicture(pixels: Uint32Array, rgb: ArrayLike<number>): void {
  for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
    const [red, green, blue] = [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
    pixels[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
}
