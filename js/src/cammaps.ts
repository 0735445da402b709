/** What the CamSlider's frames hold, read and checked, and the scale that maps are drawn on. */

import { decodeValue, type Extent } from "./maps";
import type { Field } from "./overlay";
import type { ScoreKind } from "./traits";
import { type Frame, must } from "./wire";

/** Positive values of all classes on one scale, signed values on one, or each map on its own. */
export type CamScale = "rectified" | "signed" | "map";

/** A class-activation map: its values in codes as they came, or exact. */
export interface CamMap {
  readonly seq: number;
  readonly layer: string;
  readonly target: number;
  readonly height: number;
  readonly width: number;
  /** Exact values, or null where there are codes alone. */
  readonly exact: Float32Array | null;
  /** False while the method is still at work on it. */
  readonly isFinal: boolean;
  /** Codes of the positive part, from 0 to `high`, then of the negative one, from `low` to 0. */
  readonly codes: Uint8Array;
  readonly low: number;
  readonly high: number;
  readonly isSigned: boolean;
  readonly status: CamStatus;
  /** Why there is nothing to see, and what else there is to know, or "". */
  readonly note: string;
}

/** In the order of `STATUSES` in cnnviz_widgets/widgets/cam_frames.py. */
const STATUSES = ["ok", "empty", "constant", "nonfinite", "saturated"] as const;
export type CamStatus = (typeof STATUSES)[number];

/** What is explained of a class, and how likely the network finds it. */
export interface CamScore {
  readonly index: number;
  readonly score: number;
  readonly kind: ScoreKind;
  readonly probability: number | null;
}

const COLUMNS = 7;

const statusOf = (place: number): CamStatus => STATUSES[place] ?? "ok";

/**
 * Reads a frame of kind "maps": maps of several layers and classes.
 *
 * @throws WireError if an array is missing or too short
 */
export function readMaps({ seq, header, arrays: { table, ranges, codes } }: Frame): CamMap[] {
  const rows = table?.data;
  must(rows instanceof Uint32Array && table?.shape[1] === COLUMNS, "table is not u4 (M, 7)");
  must(ranges?.data.length === (2 * rows.length) / COLUMNS, "ranges is not (M, 2)");
  must(codes?.data instanceof Uint8Array, "codes is not u1");
  const layers = header.layers as readonly string[];
  const notes = header.notes as readonly string[];
  const maps: CamMap[] = [];
  let at = 0;
  for (let row = 0; row < rows.length / COLUMNS; row++) {
    const [layer = 0, target = 0, height = 0, width = 0, status = 0, note = 0, isSigned = 0] =
      rows.subarray(row * COLUMNS, (row + 1) * COLUMNS);
    const size = height * width * (isSigned ? 2 : 1);
    must(at + size <= codes.data.length, `codes ends at ${codes.data.length}`);
    maps.push({
      seq,
      layer: layers[layer] ?? "",
      target,
      height,
      width,
      exact: null,
      isFinal: true,
      codes: codes.data.subarray(at, at + size),
      low: ranges.data[2 * row] ?? 0,
      high: ranges.data[2 * row + 1] ?? 0,
      isSigned: isSigned > 0,
      status: statusOf(status),
      note: notes[note - 1] ?? "",
    });
    at += size;
  }
  return maps;
}

/**
 * Reads a frame of kind "map": exact maps of one layer, of one class each.
 *
 * @throws WireError if an array is missing
 */
export function readExact({ seq, final, params, header, arrays: { values } }: Frame): CamMap[] {
  const [count = 0, height = 0, width = 0] = values?.shape ?? [];
  must(values?.data instanceof Float32Array, "values is not f4 (K, h, w)");
  const { classes, statuses, notes } = header as Readonly<Record<string, readonly unknown[]>>;
  const size = height * width;
  return Array.from({ length: count }, (_, k) => {
    const exact = (values.data as Float32Array).subarray(k * size, (k + 1) * size);
    return {
      seq,
      layer: `${params.layer}`,
      target: Number(classes?.[k]),
      height,
      width,
      exact,
      isFinal: final,
      codes: new Uint8Array(),
      low: 0,
      high: 0,
      isSigned: true,
      status: statusOf(Number(statuses?.[k])),
      note: notes?.[k] ? `${notes[k]}` : "",
    };
  });
}

/** Reads the scores that a final frame tells of its classes. */
export function readScores({ header: { scores } }: Frame): CamScore[] {
  return (Array.isArray(scores) ? scores : []).map((entry) => {
    const { index, score, score_kind: kind, probability } = Object(entry);
    const share = typeof probability === "number" ? probability : null;
    return { index: Number(index), score: Number(score), kind, probability: share };
  });
}

/** The values of a map, as codes tell them where they are not exact. */
export function valuesOf({ exact, codes, low, high, isSigned, ...map }: CamMap): Float32Array {
  if (exact) return exact;
  const size = map.height * map.width;
  const above = Float64Array.from({ length: 256 }, (_, code) => decodeValue(code, 0, high));
  const below = Float64Array.from({ length: 256 }, (_, code) => decodeValue(code, low, 0));
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = above[codes[i] as number] as number;
    values[i] = isSigned ? value + (below[codes[size + i] as number] as number) : value;
  }
  return values;
}

/** A map as it is to be drawn: signed, or with its negative values set to zero. */
export function fieldOf(map: CamMap, scale: CamScale): Field {
  const values = valuesOf(map);
  const drawn = scale === "signed" ? values : values.map((value) => (value < 0 ? 0 : value));
  return { values: drawn, height: map.height, width: map.width };
}

/** Largest size of the finite values. */
export function peakOf(values: Float32Array): number {
  let peak = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > peak && size < Infinity) peak = size;
  }
  return peak;
}

/** What the ends of the colour bar stand for when `peak` is the largest value to be drawn. */
export function rangeOf(scale: CamScale, peak: number): Extent {
  return { low: scale === "signed" ? -peak : 0, high: peak };
}
