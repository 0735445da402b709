/** All channels of a layer at once: one canvas for what is in view, moved under a scrolled space. */

import type { Palette, Scale } from "./colormap";
import { element, setAttributes, text } from "./dom";
import { formatNumber } from "./format";
import {
  cellAt,
  cellOrigin,
  contentHeight,
  type Grid,
  layoutGrid,
  type Move,
  moveCell,
  rowCount,
} from "./grid";
import { GridCanvas } from "./gridcanvas";
import { isDead, type Maps } from "./maps";
import { channelOrder, type SortKey } from "./order";
import { words } from "./words";

/** Space around the tiles, as in the stylesheet, where their outlines show. */
const EDGE_PX = 3;
const GAP_PX = 6;
const LABEL_PX = 13;
/** Below this a tile has no room for its number. */
const LABELLED_TILE_PX = 40;

const MOVES: Readonly<Record<string, Move>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  PageUp: "pageUp",
  PageDown: "pageDown",
};

export class GridView {
  readonly box: HTMLElement;
  readonly #canvas = new GridCanvas();
  readonly #space = element("div", { class: "cnnviz-space" });
  readonly #scroller: HTMLElement;
  readonly #chosen = element("div", { class: "cnnviz-chosen" });
  readonly #hovered = element("div", { class: "cnnviz-hovered" });
  readonly #title = text();
  readonly #hint = text();
  // Two cells that take turns, so that moving the focus is a real move for a screen reader.
  readonly #cells: readonly HTMLElement[];
  readonly #choose: ((channel: number) => void) | null;
  #cellInUse = 0;
  #tilePx = 64;
  #ratio = 1;
  #grid: Grid | null = null;
  #scroll = 0;
  #maps: Maps | null = null;
  #order: Uint32Array = new Uint32Array();
  #channel = 0;
  #focused = 0;

  /** @param choose takes the channel that the reader picks; null where there is nothing to pick */
  constructor(signal: AbortSignal, label: string, choose: ((channel: number) => void) | null) {
    this.#choose = choose;
    this.#cells = [0, 1].map((n) =>
      element("div", { class: "cnnviz-cell", role: "gridcell", tabindex: n === 0 ? 0 : -1 }),
    );
    const rows = this.#cells.map((cell) => element("div", { role: "row" }, cell));
    rows[1]?.setAttribute("hidden", "");
    this.#space.append(this.#hovered, this.#chosen, ...rows);
    this.#scroller = element(
      "div",
      { class: "cnnviz-scroller", role: "grid", "aria-label": label },
      this.#space,
    );
    const caption = element(
      "div",
      { class: "cnnviz-caption" },
      element("span", {}, this.#title),
      element("span", { class: "cnnviz-hint" }, this.#hint),
    );
    const stage = element("div", { class: "cnnviz-stage" }, this.#canvas.canvas, this.#scroller);
    this.box = element("div", { class: "cnnviz-grid" }, caption, stage);
    this.#listen(signal);
  }

  /** Sets the tile size in CSS pixels and the device pixels per CSS pixel. */
  setTile(tilePx: number, ratio: number): void {
    this.#tilePx = tilePx;
    this.#ratio = ratio;
    this.measure();
  }

  /** Reads the space there is; called when it changes, never while sliding. */
  measure(): void {
    const { clientWidth, clientHeight } = this.#scroller;
    const width = Math.floor((clientWidth - 2 * EDGE_PX) * this.#ratio);
    const height = Math.floor((clientHeight - 2 * EDGE_PX) * this.#ratio);
    if (width < 1 || height < 1) return;
    const tile = Math.max(1, Math.round(this.#tilePx * this.#ratio));
    const label = this.#tilePx >= LABELLED_TILE_PX ? Math.round(LABEL_PX * this.#ratio) : 0;
    const gap = Math.round(GAP_PX * this.#ratio);
    this.#grid = layoutGrid({ width, height, tile, gap, label });
    this.#canvas.resize(this.#grid, this.#ratio);
    this.restyle();
  }

  /** Reads the host's font and colours anew and draws everything. */
  restyle(): void {
    if (!this.#grid) return;
    const style = getComputedStyle(this.box);
    const colour = style.getPropertyValue("--cnnviz-quiet-ink") || style.color;
    this.#canvas.restyle(style.fontFamily, colour, this.#ratio);
    this.refresh();
  }

  /** Whether a picture is on the canvas. */
  get isDrawn(): boolean {
    return this.#canvas.isDrawn;
  }

  /** Draws a layer, at once; false if that must wait until the space for it is known. */
  show(maps: Maps, scale: Scale, palette: Palette, sort: SortKey): boolean {
    this.#maps = maps;
    this.#order = channelOrder(maps, sort);
    return this.#canvas.show({ maps, order: this.#order, scale, palette });
  }

  /** Marks the channel that is shown large. */
  select(channel: number): void {
    this.#channel = channel;
    const place = this.#order.indexOf(channel);
    if (place >= 0) this.#focused = place;
    this.refresh();
  }

  /** Brings everything but the picture up to date: room to scroll, names, marks. */
  refresh(): void {
    const grid = this.#grid;
    const maps = this.#maps;
    if (!grid || !maps) return;
    const count = this.#order.length;
    const height = `${contentHeight(grid, count) / this.#ratio}px`;
    if (this.#space.style.height !== height) this.#space.style.height = height;
    const size = words.mapSize(maps.fullHeight, maps.fullWidth);
    const reduced = maps.factor > 1 ? `, ${words.reduced(maps.factor)}` : "";
    this.#title.data = `${words.channels(count)}, ${size}${reduced}`;
    setAttributes(this.#scroller, {
      "aria-rowcount": rowCount(grid, count),
      "aria-colcount": Math.min(grid.columns, count),
    });
    this.#place(this.#chosen, this.#choose ? this.#order.indexOf(this.#channel) : -1);
    this.#focused = Math.min(this.#focused, Math.max(0, count - 1));
    const cell = this.#cells[this.#cellInUse];
    if (cell) this.#label(cell, this.#focused);
  }

  #place(target: HTMLElement, place: number): void {
    const grid = this.#grid;
    target.hidden = place < 0 || !grid;
    if (!grid || place < 0) return;
    const { x, y } = cellOrigin(grid, place);
    const side = `${grid.tile / this.#ratio}px`;
    Object.assign(target.style, {
      width: side,
      height: side,
      transform: `translate(${x / this.#ratio}px, ${y / this.#ratio}px)`,
    });
  }

  #describe(place: number): string {
    const maps = this.#maps;
    const channel = this.#order[place];
    if (!maps || channel === undefined) return "";
    const low = formatNumber(maps.minimum[channel] ?? 0);
    const high = formatNumber(maps.maximum[channel] ?? 0);
    return words.cell(channel, low, high, isDead(maps, channel));
  }

  #label(cell: HTMLElement, place: number): void {
    const grid = this.#grid;
    if (!grid) return;
    this.#place(cell, place < this.#order.length ? place : -1);
    setAttributes(cell, {
      "aria-label": this.#describe(place),
      "aria-selected": String(this.#choose !== null && this.#order[place] === this.#channel),
      "aria-colindex": (place % grid.columns) + 1,
    });
    cell.parentElement?.setAttribute("aria-rowindex", String(Math.floor(place / grid.columns) + 1));
  }

  #focus(place: number): void {
    const grid = this.#grid;
    const current = this.#cells[this.#cellInUse];
    const next = this.#cells[1 - this.#cellInUse];
    if (!grid || !current || !next) return;
    this.#focused = place;
    this.#cellInUse = 1 - this.#cellInUse;
    next.parentElement?.removeAttribute("hidden");
    this.#label(next, place);
    this.#reveal(grid, place);
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
    current.tabIndex = -1;
    current.parentElement?.setAttribute("hidden", "");
    this.#hint.data = this.#describe(place);
  }

  /** Scrolls within the grid, and nothing else, until a cell is in view. */
  #reveal(grid: Grid, place: number): void {
    const top = cellOrigin(grid, place).y;
    const bottom = top + grid.tile + grid.label;
    const scroll = this.#scroll;
    if (top >= scroll && bottom <= scroll + grid.height) return;
    this.#scroller.scrollTop = (top < scroll ? top : bottom - grid.height) / this.#ratio;
  }

  #placeOf(event: MouseEvent): number {
    const grid = this.#grid;
    if (!grid) return -1;
    const { left, top } = this.#scroller.getBoundingClientRect();
    const x = (event.clientX - left - EDGE_PX) * this.#ratio;
    const y = (event.clientY - top - EDGE_PX) * this.#ratio + this.#scroll;
    return cellAt(grid, this.#order.length, x, y);
  }

  #pick(place: number): void {
    const channel = this.#order[place];
    if (channel !== undefined) this.#choose?.(channel);
  }

  #listen(signal: AbortSignal): void {
    const scroller = this.#scroller;
    scroller.addEventListener(
      "scroll",
      () => {
        this.#scroll = scroller.scrollTop * this.#ratio;
        this.#canvas.scrollTo(this.#scroll);
      },
      { signal, passive: true },
    );
    scroller.addEventListener(
      "pointermove",
      (event) => {
        const place = this.#placeOf(event);
        this.#place(this.#hovered, place);
        this.#hint.data = place < 0 ? "" : this.#describe(place);
      },
      { signal, passive: true },
    );
    scroller.addEventListener(
      "pointerleave",
      () => {
        this.#hovered.hidden = true;
        this.#hint.data = "";
      },
      { signal },
    );
    scroller.addEventListener(
      "click",
      (event) => {
        const place = this.#placeOf(event);
        if (place < 0) return;
        this.#focus(place);
        this.#pick(place);
      },
      { signal },
    );
    scroller.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    scroller.addEventListener("focusin", () => this.#focusShown(), { signal });
  }

  #focusShown(): void {
    this.#hint.data = this.#describe(this.#focused);
  }

  #onKey(event: KeyboardEvent): void {
    const grid = this.#grid;
    if (!grid || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      this.#pick(this.#focused);
    } else {
      const move = MOVES[event.key];
      if (!move) return;
      this.#focus(moveCell(grid, this.#order.length, this.#focused, move));
    }
    event.preventDefault();
  }
}
