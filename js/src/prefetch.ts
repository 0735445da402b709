/** Which layers to ask for while nobody asks for anything: the nearest that are not in the page. */

/** Bytes of one run; short enough that the kernel can turn to a slide after it. */
export const RUN_BYTES = 500_000;

/** How often a layer is asked for in vain before it is left to be asked for when it is needed. */
const MAX_TRIES = 2;

export interface Candidate {
  readonly name: string;
  /** Expected size of its frame. */
  readonly bytes: number;
}

/** Bytes of a layer's frame: one per value drawn and 24 of numbers per channel. */
export function estimateBytes(shape: readonly number[], layout: string, tile: number): number {
  const sizes = shape.slice(1);
  const values = sizes.reduce((product, size) => product * size, 1);
  if (sizes.length < 3) return 4 * values;
  const channelsLast = layout === "NHWC";
  const channels = (channelsLast ? sizes[sizes.length - 1] : sizes[0]) ?? 1;
  const [height = 1, width = 1] = channelsLast ? sizes : sizes.slice(-2);
  const factor = Math.max(1, Math.ceil(Math.max(height, width) / tile));
  const grid = Math.ceil(height / factor) * Math.ceil(width / factor);
  return channels * (Math.ceil((values / channels / (height * width)) * grid) + 24);
}

export class PrefetchPlan {
  readonly #tries = new Map<string, number>();

  /**
   * Picks the layers of the next run.
   *
   * @param layers all layers in the order of the slider
   * @param current place of the layer shown
   * @param has whether the frame of a layer is in the page
   * @param room bytes that all prefetched layers together may take
   */
  next(
    layers: readonly Candidate[],
    current: number,
    has: (name: string) => boolean,
    room: number,
  ): string[] {
    const names: string[] = [];
    let run = 0;
    let total = 0;
    for (const layer of nearestFirst(layers, current)) {
      total += layer.bytes;
      if (total > room || run >= RUN_BYTES) break;
      if (has(layer.name) || (this.#tries.get(layer.name) ?? 0) >= MAX_TRIES) continue;
      names.push(layer.name);
      run += layer.bytes;
    }
    return names;
  }

  /** Counts a run that came to its end; a layer that fails is tried once more and then no longer. */
  finished(asked: readonly string[], sent: readonly string[]): void {
    // A run that sent something stopped at its byte budget; the next one starts at what is missing.
    const [first] = asked;
    if (sent.length > 0 || first === undefined) return;
    this.#tries.set(first, (this.#tries.get(first) ?? 0) + 1);
  }

  forget(): void {
    this.#tries.clear();
  }
}

function* nearestFirst(layers: readonly Candidate[], current: number): Generator<Candidate> {
  for (let step = 0; step < layers.length; step++) {
    const after = layers[current + step];
    if (after) yield after;
    const before = step > 0 ? layers[current - step] : undefined;
    if (before) yield before;
  }
}
