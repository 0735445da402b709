/** The order in which the channels of a layer are laid out. */

import type { Maps } from "./maps";

export const sortKeys = ["index", "mean", "maximum", "variance", "zeros"] as const;
export type SortKey = (typeof sortKeys)[number];

/** Places in the order of display: by index, or the largest first and equal ones by index. */
function orderOf(values: ArrayLike<number>, isSorted: boolean): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index);
  if (!isSorted) return order;
  // NaN counts as the smallest, so that what can be compared stands first.
  const weights = Float64Array.from(values, (value) => (Number.isNaN(value) ? -Infinity : value));
  return order.sort((a, b) => {
    const wa = weights[a] ?? 0;
    const wb = weights[b] ?? 0;
    return wa === wb ? a - b : wa < wb ? 1 : -1;
  });
}

/** Channels in the order of display. */
export function channelOrder(maps: Maps, sort: SortKey): Uint32Array {
  return orderOf(maps[sort === "index" ? "mean" : sort], sort !== "index");
}

/** Elements of a vector in the order of display; any key but the index sorts by value. */
export function vectorOrder(values: Float32Array, sort: SortKey): Uint32Array {
  return orderOf(values, sort !== "index");
}
