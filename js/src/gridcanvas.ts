/** The canvas of a grid: the pixels of what is in view, and one `putImageData` for each picture. */

import { makeLuts, type Palette, type Scale } from "./colormap";
import { h, makeImage, setAttributes, setPixels } from "./dom";
import { type Glyphs, makeGlyphs } from "./glyphs";
import { cellOrigin, clampScroll, type Grid, visiblePlaces } from "./grid";
import { isDead, type Maps } from "./maps";
import { clearRect, paintMaps, type Viewport } from "./paint";
import { words } from "./words";

/** What is drawn: channels in an order, with colours. */
export interface GridPicture {
  readonly maps: Maps;
  readonly order: Uint32Array;
  readonly scale: Scale;
  readonly colours: Palette;
}

export interface GridCanvas {
  readonly canvas: HTMLCanvasElement;
  /** Takes a grid, one canvas pixel for each device pixel, and the host's font and colour. */
  resize(grid: Grid, ratio: number, family: string, colour: string): void;
  /** Draws a picture, at once; false if there is no space for it yet. */
  show(picture: GridPicture): boolean;
  /** Moves the content up by device pixels. */
  scrollTo(scroll: number): void;
}

const FONT_PX = 10;

export function makeGridCanvas(): GridCanvas {
  const canvas = h("canvas.canvas", { "aria-hidden": "true" });
  let grid: Grid | null = null;
  let view: Viewport | null = null;
  let put: () => void = () => {};
  let glyphs: Glyphs | null = null;
  let picture: GridPicture | null = null;
  let scroll = 0;
  let drawn = "";
  let labels = new Uint32Array();

  /** Draws the labels that are not what they were; they lie outside the maps and so persist. */
  const drawLabels = (view: Viewport, grid: Grid, { maps, order }: GridPicture, offset: number) => {
    if (!glyphs) return;
    const [first, last] = visiblePlaces(grid, order.length, offset);
    if (labels.length !== last - first) labels = new Uint32Array(last - first);
    for (let place = first; place < last; place++) {
      const channel = order[place] ?? 0;
      const dead = isDead(maps, channel);
      const label = 2 * channel + (dead ? 2 : 1);
      if (labels[place - first] === label) continue;
      labels[place - first] = label;
      const { x, y } = cellOrigin(grid, place);
      const top = y + grid.tile - offset;
      clearRect(view, x, top, grid.tile, grid.label);
      glyphs.draw(view, `${channel}`, x, top);
      const left = x + grid.tile - glyphs.widthOf(words.dead);
      const isRoom = left > x + glyphs.widthOf(`${channel}`) + 4;
      if (dead && isRoom) glyphs.draw(view, words.dead, left, top);
    }
  };

  const draw = (): boolean => {
    if (!view || !grid || !picture) return false;
    const { maps, order, scale, colours } = picture;
    const offset = Math.round(clampScroll(grid, order.length, scroll));
    const layout = `${offset} ${order.length} ${maps.height} ${maps.width}`;
    const isSame = layout === drawn;
    if (!isSame) {
      view.pixels.fill(0);
      labels = new Uint32Array();
    }
    drawLabels(view, grid, picture, offset);
    paintMaps(view, grid, maps, order, offset, makeLuts(maps, scale, colours));
    put();
    drawn = layout;
    if (!isSame) canvas.dataset.scroll = `${offset}`;
    return true;
  };

  return {
    canvas,
    resize(space, ratio, family, colour) {
      grid = space;
      const { width, height, label } = space;
      if (canvas.width !== width || canvas.height !== height || !view) {
        canvas.width = width;
        canvas.height = height;
        const image = makeImage(canvas, width, height);
        view = { pixels: image.pixels, width, height };
        put = image.put;
      }
      setPixels(canvas, { width: width / ratio, height: height / ratio });
      setAttributes(canvas, {
        "data-columns": space.columns,
        "data-pitch-x": space.pitchX,
        "data-pitch-y": space.pitchY,
        "data-tile": space.tile,
      });
      const font = `${Math.round(FONT_PX * ratio)}px ${family || "sans-serif"}`;
      glyphs = label ? makeGlyphs(font, colour, label, [..."0123456789", words.dead]) : null;
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
