/** How the values of a channel are spread: counts in equal bins, drawn as one SVG path. */

import { setAttributes, svg } from "./dom";
import { formatNumber } from "./format";
import type { Extent } from "./maps";
import { words } from "./words";

export const BINS = 40;

const WIDTH = BINS * 5;
const HEIGHT = 44;

/** Smallest and largest finite value, or null if there is none. */
export function extentOf(values: ArrayLike<number>): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : null;
}

/** Counts of the finite values in equal bins from low to high; the last bin includes its end. */
export function countBins(values: ArrayLike<number>, { low, high }: Extent): Uint32Array {
  const counts = new Uint32Array(BINS);
  const span = high - low;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) continue;
    const bin = span > 0 ? Math.floor(((value - low) / span) * BINS) : 0;
    const at = Math.max(0, Math.min(BINS - 1, bin));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** Outline of the bars; heights are square roots, so that rare values can still be seen. */
function outline(counts: Uint32Array): string {
  const most = Math.max(1, ...counts);
  let path = `M0 ${HEIGHT}`;
  counts.forEach((count, bin) => {
    const height = count === 0 ? 0 : Math.max(1, Math.sqrt(count / most) * (HEIGHT - 2));
    const y = (HEIGHT - height).toFixed(1);
    path += `V${y}H${5 * bin + 4}V${HEIGHT}H${5 * bin + 5}`;
  });
  return `${path}Z`;
}

export class Histogram {
  readonly box = svg("svg", {
    class: "cnnviz-histogram",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  readonly #bars = svg("path", { class: "cnnviz-bars-path" });
  readonly #zero = svg("path", { class: "cnnviz-zero-path" });

  constructor() {
    this.box.append(this.#bars, this.#zero);
  }

  show(values: ArrayLike<number>): void {
    const extent = extentOf(values);
    if (!extent) {
      setAttributes(this.#bars, { d: "" });
      setAttributes(this.#zero, { d: "" });
      setAttributes(this.box, { "aria-label": words.noFinite });
      return;
    }
    const { low, high } = extent;
    setAttributes(this.#bars, { d: outline(countBins(values, extent)) });
    const inside = low < 0 && high > 0;
    const x = ((-low / (high - low)) * WIDTH).toFixed(1);
    setAttributes(this.#zero, { d: inside ? `M${x} 0V${HEIGHT}` : "" });
    const label = words.histogram(formatNumber(low), formatNumber(high));
    setAttributes(this.box, { "aria-label": label });
  }
}
