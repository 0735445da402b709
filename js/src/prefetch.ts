/** Which layers to ask for while nobody asks for anything: the nearest that are not in the page. */

/** Bytes of one run; short enough that the kernel can turn to a slide after it. */
export const RUN_BYTES = 500_000;

/** About the bytes of a layer's frame: one per value drawn and 24 of numbers per channel. */
export function estimateBytes(shape: readonly number[], layout: string, tile: number): number {
  const sizes = shape.slice(1);
  const values = sizes.reduce((product, size) => product * size, 1);
  const channels = sizes.at(layout === "NHWC" ? -1 : 0) ?? 1;
  return sizes.length < 3 ? 4 * values : Math.min(values, channels * tile * tile) + 24 * channels;
}

/**
 * Picks the layers of the next run, nearest first.
 *
 * @param sizes expected bytes of all layers in the order of the slider
 * @param current place of the layer shown
 * @param isDone whether the layer at a place is in the page or not worth asking for
 * @param room bytes that all prefetched layers together may take
 * @returns places
 */
export function planRun(
  sizes: readonly number[],
  current: number,
  isDone: (place: number) => boolean,
  room: number,
): number[] {
  const run: number[] = [];
  let runBytes = 0;
  let total = 0;
  for (let step = 0; step < sizes.length; step++) {
    for (const place of step ? [current + step, current - step] : [current]) {
      const bytes = sizes[place];
      if (bytes === undefined) continue;
      total += bytes;
      if (total > room || runBytes >= RUN_BYTES) return run;
      if (isDone(place)) continue;
      run.push(place);
      runBytes += bytes;
    }
  }
  return run;
}
