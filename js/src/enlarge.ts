/** Small pictures drawn larger, so that a map over them can be smooth and their pixels stay sharp. */

import type { Block } from "./wire";

/** Longest side of a small picture, and the least that its drawing has. */
const SMALL_PX = 160;
const LARGE_PX = 448;

/** How many times a picture is drawn larger than it is. */
export function enlargement(height: number, width: number): number {
  const side = Math.max(height, width);
  return side > 0 && side < SMALL_PX ? Math.ceil(LARGE_PX / side) : 1;
}

/** A picture with each pixel `times` as high and as wide. */
export function enlargePicture({ data, shape }: Block, times: number): Block {
  const [height = 0, width = 0] = shape;
  if (times === 1) return { data, shape };
  const wide = times * width;
  const large = new Uint8Array(3 * times * height * wide);
  for (let y = 0, at = 0; y < times * height; y++) {
    const row = Math.floor(y / times) * width;
    for (let x = 0; x < wide; x++, at += 3) {
      const from = 3 * (row + Math.floor(x / times));
      large.set(data.subarray(from, from + 3), at);
    }
  }
  return { data: large, shape: [times * height, wide, 3] };
}
