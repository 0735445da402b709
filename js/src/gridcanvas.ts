/** The canvas of a grid: the pixels of what is in view, and one `putImageData` for each picture. */

import type { Palette, Scale } from "./colormap";
import { h, makeImage, setAttributes, setPixels } from "./dom";
import { clampScroll, type Grid } from "./grid";
import type { SortKey } from "./order";
import type { Viewport } from "./paint";

/** How layers are drawn: the same for all of them. */
export interface Look {
  readonly scale: Scale;
  readonly colours: Palette;
  readonly sort: SortKey;
}

/** Tiles as a canvas sees them. */
export interface Picture {
  /** Number of the tile at each place. */
  readonly order: Uint32Array;
  /** Equal for pictures that cover the same pixels; nothing need be cleared between two of them. */
  readonly cover: string;
  /** Draws what is in view of content that is moved up by `scroll` device pixels. */
  paint(view: Viewport, grid: Grid, scroll: number): void;
}

export interface GridCanvas {
  readonly canvas: HTMLCanvasElement;
  /** Takes a grid: one canvas pixel for each device pixel. */
  resize(grid: Grid, ratio: number): void;
  /** Draws tiles, at once; false if there is no space for them yet. */
  show(picture: Picture): boolean;
  /** Moves the content up by device pixels. */
  scrollTo(scroll: number): void;
}

export function makeGridCanvas(): GridCanvas {
  const canvas = h("canvas.canvas", { "aria-hidden": "true" });
  let grid: Grid | null = null;
  let image = makeImage(canvas, 1, 1);
  let picture: Picture | null = null;
  let scroll = 0;
  let drawn = "";

  const draw = (): boolean => {
    if (!grid || !picture) return false;
    const count = picture.order.length;
    const offset = Math.round(clampScroll(grid, count, scroll));
    const layout = `${offset} ${count} ${picture.cover}`;
    if (layout !== drawn) {
      image.pixels.fill(0);
      canvas.dataset.scroll = `${offset}`;
      drawn = layout;
    }
    const view = { pixels: image.pixels, width: grid.width, height: grid.height };
    picture.paint(view, grid, offset);
    image.put();
    return true;
  };

  return {
    canvas,
    resize(space, ratio) {
      grid = space;
      const { width, height } = space;
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
        image = makeImage(canvas, width, height);
      }
      setPixels(canvas, { width: width / ratio, height: height / ratio });
      setAttributes(canvas, {
        "data-columns": space.columns,
        "data-pitch-x": space.pitchX,
        "data-pitch-y": space.pitchY,
        "data-tile": space.tile,
      });
      drawn = "";
      draw();
    },
    show(next) {
      picture = next;
      return draw();
    },
    scrollTo(offset) {
      scroll = offset;
      draw();
    },
  };
}
