/** What a frame of kind "layer" holds, read and checked: maps, a vector, or a question. */

import { type Frame, must, type Numbers } from "./wire";

/** Codes above this one are not numbers: 253 NaN, 254 +Inf, 255 -Inf. */
export const LEVELS = 252;

interface Answer {
  readonly seq: number;
  /** What is unusual about this layer, in words. */
  readonly note: string;
}

export interface Maps extends Answer {
  readonly is: "maps";
  readonly channels: number;
  /** Size of a map as sent, after the reduction by `factor`. */
  readonly height: number;
  readonly width: number;
  readonly fullHeight: number;
  readonly fullWidth: number;
  readonly factor: number;
  readonly codes: Uint8Array;
  /** Range of each channel that the codes describe. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Statistics of each channel at full resolution. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly zeros: Numbers;
}

export interface Vector extends Answer {
  readonly is: "vector";
  readonly values: Float32Array;
  readonly labels: readonly string[] | null;
}

/** What the axes of an output mean, a letter each. */
export type Layout = "NC" | "NCL" | "NLC" | "NCHW" | "NHWC" | "NCDHW";

export interface Question extends Answer {
  readonly is: "ask";
  /** Layouts that the kernel offers, or null. */
  readonly choices: readonly Layout[] | null;
}

export type LayerData = Maps | Vector | Question;

function floats(frame: Frame, name: string, length?: number): Float32Array {
  const data = frame.arrays[name]?.data;
  must(
    data instanceof Float32Array && data.length === (length ?? data.length),
    `${name} is not an f4 array of ${length}`,
  );
  return data;
}

function readMaps(frame: Frame, answer: Answer): Maps {
  const { codes, zeros } = frame.arrays;
  const [channels = 0, height = 0, width = 0] = codes?.shape ?? [];
  must(codes?.data instanceof Uint8Array && height && width, "codes is not u1 (c, h, w)");
  const { full, factor } = frame.header;
  const [fullHeight = height, fullWidth = width] = Array.isArray(full) ? full.map(Number) : [];
  // Rows of one number per channel; the last two are there only where the codes are of means.
  const facts = floats(frame, "statistics", channels * (full ? 6 : 4));
  const row = (place: number) => facts.subarray(place * channels, (place + 1) * channels);
  const low = row(0);
  const high = row(1);
  return {
    ...answer,
    is: "maps",
    channels,
    height,
    width,
    fullHeight,
    fullWidth,
    factor: Number(factor ?? 1),
    codes: codes.data,
    low,
    high,
    minimum: full ? row(4) : low,
    maximum: full ? row(5) : high,
    mean: row(2),
    variance: row(3),
    zeros: zeros?.data ?? new Uint8Array(channels),
  };
}

/**
 * Reads a frame of kind "layer".
 *
 * @throws WireError if an array is missing or has another shape
 */
export function readLayer(frame: Frame): LayerData {
  const { note, kind_of: kindOf, labels, choices } = frame.header;
  const answer: Answer = { seq: frame.seq, note: note ? `${note}` : "" };
  if (kindOf === "maps") return readMaps(frame, answer);
  if (kindOf === "ask") return { ...answer, is: kindOf, choices: choices as Question["choices"] };
  must(kindOf === "vector", `kind_of is ${kindOf}`);
  return {
    ...answer,
    is: kindOf,
    values: floats(frame, "values"),
    labels: labels as Vector["labels"],
  };
}

/** Value that code `code` stands for; NaN and infinities for the special codes. */
export function decodeValue(code: number, low: number, high: number): number {
  if (code <= LEVELS) return Math.min(low + (high - low) * (code / LEVELS), high);
  return code === 253 ? NaN : code === 254 ? Infinity : -Infinity;
}

/** The values of one channel as its codes tell them, (height x width). */
export function channelValues(maps: Maps, channel: number): Float32Array {
  const size = maps.height * maps.width;
  const low = maps.low[channel] ?? 0;
  const high = maps.high[channel] ?? 0;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    values[i] = decodeValue(maps.codes[channel * size + i] ?? 0, low, high);
  }
  return values;
}

/** Whether a channel holds a finite value; one that does not has 0 for both of its ends. */
function hasFinite(maps: Maps, channel: number): boolean {
  if (maps.low[channel] !== 0 || maps.high[channel] !== 0) return true;
  const size = maps.height * maps.width;
  const end = (channel + 1) * size;
  for (let i = channel * size; i < end; i++) {
    if ((maps.codes[i] ?? 0) <= LEVELS) return true;
  }
  return false;
}

/** Whether a channel is constant at full resolution, and so shows nothing; a single value is 0 then. */
export function isDead(maps: Maps, channel: number): boolean {
  const { minimum, maximum, fullHeight, fullWidth } = maps;
  const low = minimum[channel];
  const isFlat = low === maximum[channel] && (fullHeight * fullWidth > 1 || !low);
  return isFlat && hasFinite(maps, channel);
}

export interface Extent {
  readonly low: number;
  readonly high: number;
}

const extents = new WeakMap<Maps, Extent>();

/** Range over all channels that hold a finite value; 0 to 0 if none does. */
export function layerExtent(maps: Maps): Extent {
  const known = extents.get(maps);
  if (known) return known;
  let low = Infinity;
  let high = -Infinity;
  for (let channel = 0; channel < maps.channels; channel++) {
    if (!hasFinite(maps, channel)) continue;
    low = Math.min(low, maps.low[channel] ?? 0);
    high = Math.max(high, maps.high[channel] ?? 0);
  }
  const extent = low <= high ? { low, high } : { low: 0, high: 0 };
  extents.set(maps, extent);
  return extent;
}

export interface Special {
  readonly nan: boolean;
  readonly posinf: boolean;
  readonly neginf: boolean;
}

/** Which values that are not finite numbers a layer holds. */
export function specialValues({ codes }: Maps): Special {
  return { nan: codes.includes(253), posinf: codes.includes(254), neginf: codes.includes(255) };
}
