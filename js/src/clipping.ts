/** Which values of a map are drawn, and where their scale ends: at a percentile of their sizes. */

import type { Extent } from "./maps";

/** What of a signed map is drawn; "signed" keeps its sign and is centred on zero. */
export type Form = "absolute" | "signed" | "positive";

/** The values of a map in a form; special values stay what they are. */
export function valuesIn(form: Form, values: Float32Array): Float32Array {
  if (form === "signed") return values;
  return form === "absolute"
    ? values.map(Math.abs)
    : values.map((value) => (value < 0 ? 0 : value));
}

/** Sizes of the finite values, ascending. */
export function sortedSizes(values: Float32Array): Float32Array {
  return values.filter(Number.isFinite).map(Math.abs).sort();
}

/** Percentile of sorted values, with the linear rule and the rounding of NumPy's. */
export function percentileOf(sorted: Float32Array, percentile: number): number {
  if (sorted.length === 0) return 0;
  const place = (percentile / 100) * (sorted.length - 1);
  const before = Math.floor(place);
  const share = place - before;
  const low = sorted[before] ?? 0;
  const step = (sorted[before + 1] ?? low) - low;
  return share < 0.5 ? low + step * share : low + step - step * (1 - share);
}

/** What the ends of the scale stand for when the largest size drawn is `end`. */
export function extentIn(form: Form, end: number): Extent {
  return { low: form === "signed" ? -end : 0, high: end };
}
