/** The small texts under the tiles, rasterised once so that they can be blitted with the maps. */

import type { Viewport } from "./paint";

export interface Glyphs {
  widthOf(label: string): number;
  /** Draws a label with its corner at (left, top), cut off at the edges of the view. */
  draw(view: Viewport, label: string, left: number, top: number): void;
}

/**
 * @param font CSS font in device pixels
 * @param height of a line in device pixels
 * @param entries texts that are drawn as one piece; any other label is spelt with those of one letter
 */
export function makeGlyphs(
  font: string,
  colour: string,
  height: number,
  entries: readonly string[],
): Glyphs {
  const glyphs = new Map<string, { pixels: Uint32Array; width: number }>();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (const entry of entries) {
    if (!context) break;
    context.font = font;
    const width = Math.ceil(context.measureText(entry).width) || 1;
    canvas.width = width;
    canvas.height = height;
    // Resizing a canvas clears it, and its font too.
    Object.assign(context, { font, fillStyle: colour, textBaseline: "middle" });
    context.fillText(entry, 0, height / 2);
    const { data } = context.getImageData(0, 0, width, height);
    glyphs.set(entry, { pixels: new Uint32Array(data.buffer, data.byteOffset), width });
  }
  const partsOf = (label: string) => {
    const whole = glyphs.get(label);
    return whole ? [whole] : [...label].flatMap((letter) => glyphs.get(letter) ?? []);
  };
  return {
    widthOf: (label) => partsOf(label).reduce((sum, { width }) => sum + width, 0),
    draw(view, label, left, top) {
      let x = left;
      for (const { pixels, width } of partsOf(label)) {
        const end = Math.max(0, Math.min(width, view.width - x));
        for (let row = Math.max(0, -top); row < Math.min(height, view.height - top); row++) {
          const line = pixels.subarray(row * width, row * width + end);
          view.pixels.set(line, (top + row) * view.width + x);
        }
        x += width;
      }
    },
  };
}
