/** Many tiles at once: one canvas for those in view, moved under a scrolled space. */

import { h, type On, onKeys, setAttributes, setPixels, setText, show } from "./dom";
import {
  cellAt,
  cellOrigin,
  clampScroll,
  contentHeight,
  type Grid,
  type GridSpace,
  layoutGrid,
  moveCell,
  rowCount,
  visiblePlaces,
} from "./grid";
import { makeGridCanvas, type Picture } from "./gridcanvas";

/** What a grid shows: which tiles in which order, their names, and how those in view are drawn. */
export interface Tiles extends Picture {
  /** What there is to see, for the line above. */
  readonly title: string;
  /** One tile in words. @param share of its width that the pointer is at; -1 without one */
  describe(item: number, share: number): string;
  /** What is said beside the number of a tile, or "". */
  mark(item: number): string;
}

export interface GridView {
  readonly box: HTMLElement;
  /** CSS pixels that a row of tiles may take. */
  room(): number;
  /** Reads the space there is; called when it changes, never while sliding. */
  measure(tilePx: number, ratio: number): void;
  /** Draws tiles, at once; false if that must wait until the space for them is known. */
  show(tiles: Tiles): boolean;
  /** Brings all but the picture up to date: room to scroll, names, the mark of the chosen tile. */
  refresh(item: number): void;
}

/** Space around the tiles, as in the stylesheet, where their outlines show. */
const EDGE_PX = 3;
const GAP_PX = 6;
const LABEL_PX = 14;
/** Below this a tile has no room for its number. */
const LABELLED_TILE_PX = 40;

/**
 * @param onChoose takes the tile that the reader picks; null where there is nothing to pick
 * @param layout where the tiles stand in the space there is
 */
export function makeGridView(
  on: On,
  label: string,
  onChoose: ((item: number) => void) | null,
  layout: (space: GridSpace) => Grid = layoutGrid,
): GridView {
  const drawing = makeGridCanvas();
  const title = new Text();
  const hint = new Text();
  const chosen = h("div.chosen");
  const hovered = h("div.hovered", { hidden: true });
  const makeCell = () => h("div.cell", { role: "gridcell", tabindex: -1 });
  // Two cells that take turns, so that moving the focus is a real move for a screen reader.
  let cell = makeCell();
  let spare = makeCell();
  const labels = h("div.labels", { "aria-hidden": "true" });
  const space = h("div.space", labels, hovered, chosen);
  for (const made of [cell, spare]) {
    space.append(h("div", { role: "row", hidden: made === spare }, made));
  }
  const scroller = h("div.scroller", { role: "grid", "aria-label": label }, space);
  const caption = h("div.caption", h("span", title), h("span", hint));
  const box = h("div.grid", caption, h("div.stage", drawing.canvas, scroller));

  let grid: Grid | null = null;
  let ratio = 1;
  let scroll = 0;
  let tiles: Tiles | null = null;
  let order: Uint32Array = new Uint32Array();
  let current = 0;
  let focused = 0;
  let pointed: [at: number, share?: number] = [-1];

  const place = (target: HTMLElement, at: number) => {
    show(target, at >= 0 && at < order.length);
    if (!grid || target.hidden) return;
    const { x, y } = cellOrigin(grid, at);
    const height = grid.pitchY - grid.label - grid.gap;
    setPixels(target, {
      width: grid.tile / ratio,
      height: height / ratio,
      left: x / ratio,
      top: y / ratio,
    });
  };

  /** Numbers the tiles in view, and says what is special about them. */
  const drawLabels = () => {
    if (!grid?.label || !tiles) return labels.replaceChildren();
    const count = order.length;
    const [first, last] = visiblePlaces(grid, count, clampScroll(grid, count, scroll));
    while (labels.childElementCount < last - first) labels.append(h("span"));
    [...labels.children].forEach((label, n) => {
      const at = n < last - first ? first + n : -1;
      const item = order[at];
      place(label as HTMLElement, at);
      if (!tiles || item === undefined) return;
      setText(label, `${item}`);
      setAttributes(label, { "data-mark": tiles.mark(item) || false });
    });
  };

  const describe = (at: number, share = -1): string => {
    const item = order[at];
    return tiles && item !== undefined ? tiles.describe(item, share) : "";
  };

  const fillCell = () => {
    if (!grid) return;
    show(cell.parentElement as HTMLElement, true);
    place(cell, focused);
    cell.tabIndex = 0;
    const row = Math.floor(focused / grid.columns);
    cell.parentElement?.setAttribute("aria-rowindex", `${row + 1}`);
    setAttributes(cell, {
      "aria-label": describe(focused),
      "aria-selected": `${onChoose !== null && order[focused] === current}`,
      "aria-colindex": focused - row * grid.columns + 1,
    });
  };

  /** Moves the focus to a cell and scrolls, within the grid and nothing else, until it is in view. */
  const focus = (at: number) => {
    if (!grid) return;
    focused = at;
    [cell, spare] = [spare, cell];
    fillCell();
    const { y } = cellOrigin(grid, at);
    const bottom = y + grid.pitchY - grid.gap;
    if (y < scroll) scroller.scrollTop = y / ratio;
    else if (bottom > scroll + grid.height) scroller.scrollTop = (bottom - grid.height) / ratio;
    cell.focus({ preventScroll: true });
    show(spare.parentElement as HTMLElement, false);
    setText(hint, describe(at));
  };

  const pick = (at: number) => {
    const item = order[at];
    if (item !== undefined) onChoose?.(item);
  };

  /** The tile that an event is at, and the share of its width. */
  const placeAt = ({ clientX, clientY }: MouseEvent): typeof pointed => {
    if (!grid) return [-1];
    const { left, top } = scroller.getBoundingClientRect();
    const x = (clientX - left - EDGE_PX) * ratio;
    const y = (clientY - top - EDGE_PX) * ratio + scroll;
    return [cellAt(grid, order.length, x, y), (x % grid.pitchX) / grid.tile];
  };

  const hover = (...next: typeof pointed) => {
    pointed = next;
    place(hovered, next[0]);
    setText(hint, describe(...next));
  };

  on(scroller, "scroll", () => {
    scroll = scroller.scrollTop * ratio;
    drawing.scrollTo(scroll);
    drawLabels();
  });
  on(scroller, "pointermove", (event) => hover(...placeAt(event)));
  on(scroller, "pointerleave", () => hover(-1));
  on(scroller, "focusin", () => {
    setText(hint, describe(focused));
  });
  on(scroller, "focusout", () => setText(hint, ""));
  on(scroller, "click", (event) => {
    const [at] = placeAt(event);
    if (at < 0) return;
    focus(at);
    pick(at);
  });
  onKeys(on, scroller, (key) => {
    const to = grid && moveCell(grid, order.length, focused, key);
    const isPick = key === "Enter" || key === " ";
    if (to !== null) focus(to);
    else if (isPick) pick(focused);
    return to !== null || isPick;
  });

  const room = () => scroller.clientWidth - 2 * EDGE_PX;

  const refresh = (item: number) => {
    if (!grid || !tiles) return;
    const count = order.length;
    setPixels(space, { height: contentHeight(grid, count) / ratio });
    setText(title, tiles.title);
    setAttributes(scroller, {
      "aria-rowcount": rowCount(grid, count),
      "aria-colcount": Math.min(grid.columns, count),
    });
    const at = order.indexOf(item);
    if (item !== current && at >= 0) focused = at;
    current = item;
    place(chosen, onChoose ? at : -1);
    focused = Math.min(focused, Math.max(0, count - 1));
    if (!hovered.hidden) hover(...pointed);
    else if (scroller.matches(":focus-within")) setText(hint, describe(focused));
    fillCell();
    drawLabels();
  };

  return {
    box,
    refresh,
    room,
    measure(tilePx, pixelRatio) {
      ratio = pixelRatio;
      const width = Math.floor(room() * ratio);
      const height = Math.floor((scroller.clientHeight - 2 * EDGE_PX) * ratio);
      if (width < 1 || height < 1) return;
      grid = layout({
        width,
        height,
        tile: Math.max(1, Math.round(tilePx * ratio)),
        gap: Math.round(GAP_PX * ratio),
        label: tilePx < LABELLED_TILE_PX ? 0 : Math.round(LABEL_PX * ratio),
      });
      drawing.resize(grid, ratio);
      refresh(current);
    },
    show(next) {
      tiles = next;
      order = next.order;
      return drawing.show(next);
    },
  };
}
