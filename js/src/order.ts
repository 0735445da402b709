/** The order in which the channels of a layer are laid out. */

import type { Maps } from "./maps";

export const sortKeys = ["index", "mean", "maximum", "variance", "zeros"] as const;
export type SortKey = (typeof sortKeys)[number];

export function isSortKey(value: unknown): value is SortKey {
  return sortKeys.some((key) => key === value);
}

function byValue(values: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index);
  // NaN counts as the smallest, so that what can be compared stands first.
  const weight = (index: number): number => {
    const value = values[index] ?? 0;
    return Number.isNaN(value) ? -Infinity : value;
  };
  return order.sort((a, b) => {
    const wa = weight(a);
    const wb = weight(b);
    return wa === wb ? a - b : wa < wb ? 1 : -1;
  });
}

const orders = new WeakMap<Maps, Map<SortKey, Uint32Array>>();

/** Channels in the order of display: by index, or the largest first and equal ones by index. */
export function channelOrder(maps: Maps, sort: SortKey): Uint32Array {
  let known = orders.get(maps);
  if (!known) {
    known = new Map();
    orders.set(maps, known);
  }
  let order = known.get(sort);
  if (!order) {
    order =
      sort === "index"
        ? Uint32Array.from({ length: maps.channels }, (_, index) => index)
        : byValue(maps[sort]);
    known.set(sort, order);
  }
  return order;
}

/** Elements of a vector in the order of display; any key but the index sorts by value. */
export function vectorOrder(values: Float32Array, sort: SortKey): Uint32Array {
  return sort === "index"
    ? Uint32Array.from({ length: values.length }, (_, index) => index)
    : byValue(values);
}
