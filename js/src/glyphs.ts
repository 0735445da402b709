/** The small texts under the tiles, rasterised once so that they can be blitted with the maps. */

import type { Viewport } from "./paint";

interface Glyph {
  readonly pixels: Uint32Array;
  readonly width: number;
}

export class Glyphs {
  readonly #glyphs = new Map<string, Glyph>();
  readonly height: number;

  /**
   * @param font CSS font in device pixels
   * @param height of a line in device pixels
   * @param entries texts that are drawn as one piece, digits among them
   */
  constructor(font: string, colour: string, height: number, entries: readonly string[]) {
    this.height = height;
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return;
    for (const entry of entries) {
      context.font = font;
      const width = Math.max(1, Math.ceil(context.measureText(entry).width));
      canvas.width = width;
      canvas.height = height;
      // Resizing a canvas resets its state.
      context.font = font;
      context.fillStyle = colour;
      context.textBaseline = "middle";
      context.fillText(entry, 0, height / 2);
      const { data } = context.getImageData(0, 0, width, height);
      const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height).slice();
      this.#glyphs.set(entry, { pixels, width });
    }
  }

  widthOf(label: string): number {
    return this.#parts(label).reduce((sum, { width }) => sum + width, 0);
  }

  /** Draws a label with its corner at (left, top), cut off at the edges of the view. */
  draw(view: Viewport, label: string, left: number, top: number): void {
    let x = left;
    for (const { pixels, width } of this.#parts(label)) {
      for (let row = 0; row < this.height; row++) {
        const y = top + row;
        if (y < 0 || y >= view.height) continue;
        const end = Math.min(width, view.width - x);
        for (let column = 0; column < end; column++) {
          view.pixels[y * view.width + x + column] = pixels[row * width + column] ?? 0;
        }
      }
      x += width;
    }
  }

  /** A label is one entry or is spelt with entries of one letter. */
  #parts(label: string): Glyph[] {
    const whole = this.#glyphs.get(label);
    const parts = whole ? [whole] : [...label].map((letter) => this.#glyphs.get(letter));
    return parts.filter((part) => part !== undefined);
  }
}
