/** What the kernel says about the weights of a layer, read and checked. */

import type { Index, LayerEntry, SharedTraits } from "./traits";
import { type Frame, must, type Numbers } from "./wire";

export type FilterSort = "index" | "norm" | "similarity";
export type FilterScale = "layer" | "filter";

/** One weight of the network; its `shape` is the weight's, behind a 1. */
export interface FilterEntry extends LayerEntry {
  readonly filters: number;
  /** Inputs that each filter reads. */
  readonly inputs: number;
  /** Depth, height and width, 1 where a kernel lacks the axis. */
  readonly kernel: readonly number[];
  /** How many axes a kernel has; 0 for a matrix. */
  readonly axes: number;
  readonly groups: number;
  readonly dilation: readonly number[];
  /** What is unusual about the layer, in words. */
  readonly note: string;
  readonly colour: boolean;
  /** How the inputs of a dense layer lie as channels, height and width, where that is known. */
  readonly fold: readonly number[] | null;
  /** The call whose output channels the filters are. */
  readonly answers: string | null;
}

export interface Bounds {
  /** Share of the layer's largest norm up to which a filter is dead. */
  readonly dead: number;
  /** Cosine similarity from which two filters are alike. */
  readonly twin: number;
}

export interface FilterIndex extends Index {
  readonly layers: readonly FilterEntry[];
  readonly bounds: Bounds;
}

export interface FilterTraits extends SharedTraits {
  _index: FilterIndex;
  layer: string;
  filter: number;
  image: number;
  scale_mode: FilterScale;
  sort: FilterSort;
  tile: number;
}

/** Which filters of a layer are alike. */
export interface Likeness {
  readonly nearest: Numbers;
  readonly cosine: Numbers;
  readonly order: Uint32Array;
}

/** All filters of a layer, each as one small picture. */
export interface Bank {
  readonly form: "colour" | "kernels" | "matrix";
  readonly seq: number;
  readonly filters: number;
  /** Slices, height and width of a picture; three slices are the three colours of form "colour". */
  readonly sides: readonly number[];
  /** Whether codes run from -end to end; if not, from 0. */
  readonly signed: boolean;
  /** Values that went into one along an axis. */
  readonly factor: number;
  readonly codes: Uint8Array;
  readonly ends: Float32Array;
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  readonly mean: Float32Array;
  readonly norm: Float32Array;
  readonly zeros: Numbers;
  /** Null where it has not been asked for, or cannot be told. */
  readonly likeness: Likeness | null;
}

/**
 * Reads a frame of kind "layer".
 *
 * @throws WireError if an array is missing or has another shape
 */
export function readBank(frame: Frame): Bank {
  const { codes, facts, zeros } = frame.arrays;
  const { kind_of: form, signed, factor } = frame.header;
  const [filters = 0, ...sides] = codes?.shape ?? [];
  const numbers = facts?.data;
  must(codes?.data instanceof Uint8Array && sides.length === 3, "codes is not u1 (f, d, h, w)");
  must(numbers instanceof Float32Array && numbers.length === 5 * filters, "facts is not f4 (5, f)");
  const row = (place: number) => numbers.subarray(place * filters, (place + 1) * filters);
  return {
    form: form as Bank["form"],
    seq: frame.seq,
    filters,
    sides,
    signed: signed === true,
    factor: Number(factor ?? 1),
    codes: codes.data,
    ends: row(0),
    minimum: row(1),
    maximum: row(2),
    mean: row(3),
    norm: row(4),
    zeros: zeros?.data ?? new Uint32Array(filters),
    likeness: readLikeness(frame),
  };
}

/** Reads which filters are alike, if the frame says so. */
export function readLikeness(frame: Frame | null): Likeness | null {
  const { nearest, cosine, order } = frame?.arrays ?? {};
  if (!nearest || !cosine || !(order?.data instanceof Uint32Array)) return null;
  return { nearest: nearest.data, cosine: cosine.data, order: order.data };
}

/** The largest finite magnitude, 0 of nothing. */
export function largestOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

/** The end of the scale that a filter's picture is drawn on. */
export function scaleEnd({ ends }: Bank, scale: FilterScale, filter: number): number {
  return scale === "layer" ? largestOf(ends) : (ends[filter] ?? 0);
}

/** The end of the scale that single weights are drawn on: of the layer, or of a filter. */
export function weightEnd(bank: Bank, scale: FilterScale, filter: number): number {
  const ends = [bank.minimum, bank.maximum].map((row) =>
    largestOf(scale === "layer" ? row : row.subarray(filter, filter + 1)),
  );
  return Math.max(...ends);
}

/** The norm up to which a filter does next to nothing beside the others of its layer. */
export const deadNorm = ({ norm }: Bank, { dead }: Bounds): number => dead * largestOf(norm);

/** The filter that this one is nearly a multiple of, or -1. */
export function twinOf({ likeness }: Bank, filter: number, { twin }: Bounds): number {
  const isTwin = likeness && (likeness.cosine[filter] ?? 0) >= twin;
  return isTwin ? (likeness.nearest[filter] ?? -1) : -1;
}

/** Items in the order of display: as given, or the largest first and equal ones by index. */
export function orderBy(values: ArrayLike<number>, isSorted: boolean): Uint32Array {
  const order = Uint32Array.from(values, (_, index) => index);
  if (isSorted) order.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  return order;
}

/** Filters in the order of display. */
export function filterOrder({ norm, likeness }: Bank, sort: FilterSort): Uint32Array {
  return sort === "similarity" && likeness ? likeness.order : orderBy(norm, sort === "norm");
}

/** About the bytes of a layer's frame. */
export function estimateBank(entry: FilterEntry, width: number): number {
  const { filters, inputs, kernel, colour } = entry;
  const places = kernel.reduce((product, side) => product * side, 1);
  const drawn = places > 1 ? places * (colour ? 3 : 1) : Math.min(inputs, width);
  return filters * (drawn + 36);
}
