/** How the values of a channel are spread: counts in equal bins, drawn as one SVG path. */

import { setAttributes } from "./dom";
import { formatNumber } from "./format";
import type { Extent } from "./maps";
import { say } from "./words";

export const BINS = 40;

const HEIGHT = 40;
const NAMESPACE = "http://www.w3.org/2000/svg";

/** Smallest and largest finite value, or null if there is none. */
export function extentOf(values: Float32Array): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  return low <= high ? { low, high } : null;
}

/** Counts of the finite values in equal bins from low to high; the last bin includes its end. */
export function countBins(values: Float32Array, { low, high }: Extent): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    const bin = high > low ? Math.floor(((value - low) / (high - low)) * BINS) : 0;
    const at = Math.min(BINS - 1, bin);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

export interface Histogram {
  readonly box: SVGElement;
  show(values: Float32Array): void;
}

export function makeHistogram(): Histogram {
  const box = document.createElementNS(NAMESPACE, "svg");
  const [bars, zero] = [0, 1].map(() =>
    box.appendChild(document.createElementNS(NAMESPACE, "path")),
  );
  setAttributes(box, {
    class: "cnnviz-histogram",
    viewBox: `0 0 ${BINS} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  return {
    box,
    show(values) {
      const extent = extentOf(values);
      const { low, high } = extent ?? { low: 0, high: 0 };
      const counts = extent ? countBins(values, extent) : [];
      const most = Math.max(...counts);
      // Heights are square roots, so that rare values can still be seen.
      const columns = counts.map((count, bin) => {
        const top = HEIGHT - Math.sqrt(count / most) * (HEIGHT - 1);
        return `V${top.toFixed(1)}H${bin + 0.8}V${HEIGHT}H${bin + 1}`;
      });
      bars?.setAttribute("d", `M0 ${HEIGHT}${columns.join("")}Z`);
      const x = (-low / (high - low)) * BINS;
      zero?.setAttribute("d", low < 0 && high > 0 ? `M${x.toFixed(2)} 0V${HEIGHT}` : "");
      const label = say("histogram", { low: formatNumber(low), high: formatNumber(high) });
      box.setAttribute("aria-label", extent ? label : say("no_finite"));
    },
  };
}
