/** The canvas of a grid: the pixels of what is in view, and one `putImageData` for each picture. */

import { LutMaker, type Palette, type Scale } from "./colormap";
import { element, setAttributes } from "./dom";
import { Glyphs } from "./glyphs";
import { cellOrigin, clampScroll, type Grid, visibleRows } from "./grid";
import { isDead, type Maps } from "./maps";
import { clearRect, paintMaps, type Viewport } from "./paint";
import { words } from "./words";

/** What is drawn: channels in an order, with colours. */
export interface Picture {
  readonly maps: Maps;
  readonly order: Uint32Array;
  readonly scale: Scale;
  readonly palette: Palette;
}

const FONT_PX = 10;

export class GridCanvas {
  readonly canvas = element("canvas", { class: "cnnviz-canvas", "aria-hidden": "true" });
  readonly #context = this.canvas.getContext("2d");
  #grid: Grid | null = null;
  #image: ImageData | null = null;
  #view: Viewport | null = null;
  #glyphs: Glyphs | null = null;
  #picture: Picture | null = null;
  #scroll = 0;
  #drawn = "";
  #labels = new Uint32Array();

  /** Takes a grid; the canvas gets its size, one pixel for each device pixel. */
  resize(grid: Grid, ratio: number): void {
    this.#grid = grid;
    const { width, height } = grid;
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height || !this.#image) {
      canvas.width = width;
      canvas.height = height;
      this.#image = this.#context?.createImageData(width, height) ?? null;
      const data = this.#image?.data;
      this.#view = data
        ? { pixels: new Uint32Array(data.buffer, data.byteOffset, width * height), width, height }
        : null;
    }
    canvas.style.width = `${width / ratio}px`;
    canvas.style.height = `${height / ratio}px`;
    setAttributes(canvas, {
      "data-columns": grid.columns,
      "data-pitch-x": grid.pitchX,
      "data-pitch-y": grid.pitchY,
      "data-tile": grid.tile,
    });
  }

  /** Takes the host's font and colour for the labels and draws everything anew. */
  restyle(family: string, colour: string, ratio: number): void {
    const label = this.#grid?.label ?? 0;
    const font = `${Math.round(FONT_PX * ratio)}px ${family || "sans-serif"}`;
    const entries = [..."0123456789", words.dead];
    this.#glyphs = label > 0 ? new Glyphs(font, colour, label, entries) : null;
    this.#drawn = "";
    this.draw();
  }

  get isDrawn(): boolean {
    return this.#drawn !== "";
  }

  /** Draws a picture, at once; false if there is no space for it yet. */
  show(picture: Picture): boolean {
    this.#picture = picture;
    return this.draw();
  }

  /** Moves the content up by device pixels. */
  scrollTo(scroll: number): void {
    this.#scroll = scroll;
    this.draw();
  }

  draw(): boolean {
    const view = this.#view;
    const grid = this.#grid;
    if (!view || !grid || !this.#picture || !this.#image) return false;
    const { maps, order, scale, palette } = this.#picture;
    const scroll = Math.round(clampScroll(grid, order.length, this.#scroll));
    const drawn = `${scroll} ${order.length} ${maps.height} ${maps.width}`;
    const isSame = drawn === this.#drawn;
    if (!isSame) {
      view.pixels.fill(0);
      this.#labels = new Uint32Array();
    }
    this.#drawLabels(view, grid, maps, order, scroll);
    paintMaps(view, grid, maps, order, scroll, new LutMaker(maps, scale, palette));
    this.#context?.putImageData(this.#image, 0, 0);
    this.#drawn = drawn;
    if (!isSame) this.canvas.dataset.scroll = String(scroll);
    return true;
  }

  /** Draws the labels that are not what they were; they lie outside the maps and so persist. */
  #drawLabels(view: Viewport, grid: Grid, maps: Maps, order: Uint32Array, scroll: number): void {
    const glyphs = this.#glyphs;
    if (!glyphs) return;
    const [firstRow, lastRow] = visibleRows(grid, order.length, scroll);
    const first = firstRow * grid.columns;
    const last = Math.min(order.length, lastRow * grid.columns);
    if (this.#labels.length !== last - first) this.#labels = new Uint32Array(last - first);
    for (let place = first; place < last; place++) {
      const channel = order[place] ?? 0;
      const dead = isDead(maps, channel);
      const label = 2 * channel + (dead ? 2 : 1);
      if (this.#labels[place - first] === label) continue;
      this.#labels[place - first] = label;
      const { x, y } = cellOrigin(grid, place);
      const top = y + grid.tile - scroll;
      clearRect(view, x, top, grid.tile, grid.label);
      const number = String(channel);
      glyphs.draw(view, number, x, top);
      const left = x + grid.tile - glyphs.widthOf(words.dead);
      if (dead && left > x + glyphs.widthOf(number) + 4) glyphs.draw(view, words.dead, left, top);
    }
  }
}
