/** Maps and messages made by hand for the tests. */

import type { Maps } from "../src/maps";

/** Maps from codes and ranges; the other numbers are made up but consistent. */
export function mapsOf(
  shape: readonly number[],
  codes: ArrayLike<number>,
  low: readonly number[],
  high: readonly number[],
): Maps {
  const [channels = 0, height = 0, width = 0] = shape;
  return {
    is: "maps",
    seq: 1,
    note: "",
    channels,
    height,
    width,
    fullHeight: height,
    fullWidth: width,
    factor: 1,
    codes: Uint8Array.from(codes),
    low: Float32Array.from(low),
    high: Float32Array.from(high),
    minimum: Float32Array.from(low),
    maximum: Float32Array.from(high),
    mean: Float32Array.from(low, (value, i) => (value + (high[i] ?? 0)) / 2),
    variance: Float32Array.from(low, (value, i) => ((high[i] ?? 0) - value) ** 2),
    zeros: new Uint32Array(channels),
  };
}
