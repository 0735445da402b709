/**
 * Codes to colours. The rule is that of cnnviz_widgets/rendering/colormap.py, bit for bit, and the
 * tables are its file; here it gives one packed RGBA number per code.
 */

import { special } from "../../cnnviz_widgets/rendering/colormaps.json";
import { decodeValue, type Extent, layerExtent, type Maps } from "./maps";

export type ScaleMode = "channel" | "layer" | "fixed";

export interface Scale {
  readonly mode: ScaleMode;
  /** The user's range; read in mode "fixed" only. */
  readonly low: number;
  readonly high: number;
  /** Whether the range is made symmetric around zero. */
  readonly diverging: boolean;
}

export type SpecialName = "nan" | "posinf" | "neginf" | "below" | "above";

export interface Palette {
  /** 256 colours, packed as canvas pixels are on a little-endian machine. */
  readonly table: Uint32Array;
  readonly special: Readonly<Record<SpecialName, number>>;
}

export const specialColours: Readonly<Record<SpecialName, readonly number[]>> = special;

/** Whether a colormap has a middle colour, which then stands for zero. */
export function isDiverging(name: string): boolean {
  return name === "coolwarm";
}

function pack([red = 0, green = 0, blue = 0]: readonly number[]): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Reads a table as js/pack.mjs packs it: two colours, then second differences, four to a letter. */
function unpack([packed = "", ...rest]: readonly (string | number)[]): number[] {
  const letters = `${packed}`;
  const bytes = [0, 2, 4, 6, 8, 10].map((at) => Number.parseInt(letters.slice(at, at + 2), 16));
  for (let at = 6; at < 768; at++) {
    const group = letters.charCodeAt(Math.min(letters.length - 1, 12 + ((at - 6) >> 2))) - 40;
    const second = (Math.floor(group / 3 ** (3 - ((at - 6) & 3))) % 3) - 1;
    bytes.push(2 * (bytes[at - 3] ?? 0) - (bytes[at - 6] ?? 0) + second);
    const extra = rest.indexOf(at);
    if (extra % 2 === 0) bytes[at] = (bytes[at] ?? 0) + Number(rest[extra + 1]);
  }
  return bytes;
}

/** The colours of a table of colormaps.json: base64 there, packed by the builds. */
export function makePalette(packed: string): Palette {
  const bytes = unpack(packed as unknown as (string | number)[]);
  return {
    table: Uint32Array.from({ length: 256 }, (_, i) => pack(bytes.slice(3 * i, 3 * i + 3))),
    special: Object.fromEntries(
      Object.entries(specialColours).map(([special, colour]) => [special, pack(colour)]),
    ) as Record<SpecialName, number>,
  };
}

/** The mode in force: maps of a single value are compared with each other, there is nothing else. */
export function modeOf({ fullHeight, fullWidth }: Maps, mode: ScaleMode): ScaleMode {
  return mode === "channel" && fullHeight * fullWidth === 1 ? "layer" : mode;
}

/** What the two ends of the colour bar stand for, for a channel with the range `own`. */
export function scaleRange(scale: Scale, own: Extent, layer: Extent): Extent {
  const { low, high } = scale.mode === "fixed" ? scale : scale.mode === "layer" ? layer : own;
  if (!scale.diverging) return { low, high };
  const end = Math.max(Math.abs(low), Math.abs(high));
  return { low: -end, high: end };
}

/** Colour of a value on a scale whose ends are `range`. */
export function colourOf(value: number, range: Extent, scale: Scale, colours: Palette): number {
  if (!Number.isFinite(value)) {
    const { nan, posinf, neginf } = colours.special;
    return Number.isNaN(value) ? nan : value > 0 ? posinf : neginf;
  }
  const { low, high } = range;
  if (scale.mode === "fixed" && value < low) return colours.special.below;
  if (scale.mode === "fixed" && value > high) return colours.special.above;
  const t = high > low ? (value - low) / (high - low) : scale.diverging ? 0.5 : 0;
  const row = Math.floor(t * 255 + 0.5);
  return colours.table[Math.max(0, Math.min(row, 255))] ?? 0;
}

/** Fills `lut` with the colours of the 256 codes of a channel whose codes span `own`. */
export function fillLut(
  lut: Uint32Array,
  own: Extent,
  range: Extent,
  scale: Scale,
  colours: Palette,
): void {
  for (let code = 0; code < 256; code++) {
    lut[code] = colourOf(decodeValue(code, own.low, own.high), range, scale, colours);
  }
}

/**
 * Makes the tables of the channels of one layer, one at a time into the same 256 entries, each
 * valid until the next.
 *
 * On a scale per channel all channels have the same table but for three codes: code i stands at
 * t = i / 252, and t * 255 + 0.5 is a whole number for 42, 126 and 210 alone. There the float64
 * error of the rule decides, below 2^-20 for float32 ends; the other codes are 1/84 or more away.
 */
export function makeLuts(
  maps: Maps,
  scale: Scale,
  colours: Palette,
): (channel: number) => Uint32Array {
  const lut = new Uint32Array(256);
  const layer = layerExtent(maps);
  let isShared = false;
  return (channel) => {
    const own = { low: maps.low[channel] ?? 0, high: maps.high[channel] ?? 0 };
    const range = scaleRange(scale, own, layer);
    const isSimple = scale.mode === "channel" && !scale.diverging && own.high > own.low;
    if (!isSimple || !isShared) {
      fillLut(lut, own, range, scale, colours);
    } else {
      for (const code of [42, 126, 210]) {
        lut[code] = colourOf(decodeValue(code, own.low, own.high), range, scale, colours);
      }
    }
    isShared = isSimple;
    return lut;
  };
}
