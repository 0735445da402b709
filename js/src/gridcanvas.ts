/** The canvas of a grid: the pixels of what is in view, and one `putImageData` for each picture. */

import { makeLuts, type Palette, type Scale } from "./colormap";
import { h, makeImage, setAttributes, setPixels } from "./dom";
import { clampScroll, type Grid } from "./grid";
import type { Maps } from "./maps";
import type { SortKey } from "./order";
import { paintMaps } from "./paint";

/** How layers are drawn: the same for all of them. */
export interface Look {
  readonly scale: Scale;
  readonly colours: Palette;
  readonly sort: SortKey;
}

export interface GridCanvas {
  readonly canvas: HTMLCanvasElement;
  /** Takes a grid: one canvas pixel for each device pixel. */
  resize(grid: Grid, ratio: number): void;
  /** Draws channels in an order, at once; false if there is no space for them yet. */
  show(maps: Maps, order: Uint32Array, look: Look): boolean;
  /** Moves the content up by device pixels. */
  scrollTo(scroll: number): void;
}

export function makeGridCanvas(): GridCanvas {
  const canvas = h("canvas.canvas", { "aria-hidden": "true" });
  let grid: Grid | null = null;
  let image = makeImage(canvas, 1, 1);
  let picture: readonly [maps: Maps, order: Uint32Array, look: Look] | null = null;
  let scroll = 0;
  let drawn = "";

  const draw = (): boolean => {
    if (!grid || !picture) return false;
    const [maps, order, { scale, colours }] = picture;
    const offset = Math.round(clampScroll(grid, order.length, scroll));
    // Maps of the same size in the same places cover what was there; nothing need be cleared.
    const layout = `${offset} ${order.length} ${maps.height} ${maps.width}`;
    if (layout !== drawn) {
      image.pixels.fill(0);
      canvas.dataset.scroll = `${offset}`;
      drawn = layout;
    }
    const view = { pixels: image.pixels, width: grid.width, height: grid.height };
    paintMaps(view, grid, maps, order, offset, makeLuts(maps, scale, colours));
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
    show(...next) {
      picture = next;
      return draw();
    },
    scrollTo(offset) {
      scroll = offset;
      draw();
    },
  };
}
