/** Numbers and shapes as text. */

import type { Extent } from "./maps";
import { say } from "./words";

/** A number in four digits, as short as they allow. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** The shortest text that names this float32 and no other. */
export function formatExact(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** How many parameters a layer has, in words. */
export function formatParameters(count: number): string {
  return count ? say("parameters", { count: formatCount(count) }) : say("no_parameters");
}

/** The place of something among all, from 1. @param sort by what they are sorted, or "" */
export function formatRank(place: number, count: number, sort: string): string {
  return sort ? say("rank", { place, count, sort }) : say("rank_unsorted", { count });
}

/** A span of time. */
export function formatSeconds(seconds: number): string {
  if (seconds >= 0.1) return `${seconds.toFixed(1)}\u00a0s`;
  return `${Math.max(1, Math.round(1000 * seconds))}\u00a0ms`;
}

/** A share as a percentage. */
export function formatShare(part: number, whole: number): string {
  return `${formatNumber(whole ? (100 * part) / whole : 0)} %`;
}

/** A probability in three digits, never rounded to certainty. */
export function formatProbability(share: number): string {
  if (share < 0.0005) return "< 0.001";
  return share >= 0.9995 ? "> 0.999" : share.toFixed(3);
}

/** The shape of one picture's activation: the batch axis is left out. */
export function formatShape(shape: readonly number[]): string {
  return shape.slice(1).join(" × ");
}

/** A range widened to ends of few digits, which are easier to read and to change. */
export function roundOut({ low, high }: Extent): Extent {
  const step = 10 ** Math.floor(Math.log10(high - low || Math.abs(high) || 1) - 2);
  const clean = (steps: number) => Number((steps * step).toPrecision(6));
  return { low: clean(Math.floor(low / step)), high: clean(Math.ceil(high / step)) };
}
