/** Pictures of bytes as pixels of a canvas. */

import type { Numbers } from "./wire";

/** Fills packed pixels with RGB bytes that begin at `start`. */
export function paintRgb(pixels: Uint32Array, data: Numbers, start = 0): void {
  for (let i = 0, at = start; i < pixels.length; i++, at += 3) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
    pixels[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
}
