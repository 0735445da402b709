/** A canvas that keeps the shape of its picture, and a marker over it. */

import { type Attributes, h, show } from "./dom";

/** A point of a map, as shares of its height and width: top, left, height, width. */
export type Spot = readonly [number, number, number, number];

export interface Frame {
  readonly frame: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  resize(width: number, height: number): void;
  mark(spot: Spot | null): void;
}

export function makeFrame(attributes: Attributes = {}): Frame {
  const canvas = h("canvas");
  const cross = h("div.cross", { hidden: true });
  const frame = h("div.frame", attributes, canvas, cross);
  return {
    frame,
    canvas,
    resize(width, height) {
      if (canvas.width === width && canvas.height === height) return;
      canvas.width = width;
      canvas.height = height;
      frame.style.aspectRatio = `${width}/${height}`;
      frame.dataset.tall = `${height > width}`;
      // Enlarged, values must stay what they are; a large picture looks better smooth.
      canvas.style.imageRendering = width < 160 ? "pixelated" : "";
    },
    mark(spot) {
      show(cross, spot !== null);
      if (!spot) return;
      const [top, left, height, width] = spot.map((share) => `${100 * share}%`);
      Object.assign(cross.style, { top, left, height, width });
    },
  };
}
