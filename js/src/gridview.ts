/** All channels of a layer at once: one canvas for what is in view, moved under a scrolled space. */

import { h, type On, onKeys, setAttributes, setPixels, setText, show } from "./dom";
import { formatNumber } from "./format";
import {
  cellAt,
  cellOrigin,
  clampScroll,
  contentHeight,
  type Grid,
  layoutGrid,
  moveCell,
  rowCount,
  visiblePlaces,
} from "./grid";
import { type Look, makeGridCanvas } from "./gridcanvas";
import { isDead, type Maps } from "./maps";
import { channelOrder } from "./order";
import * as words from "./words";

export interface GridView {
  readonly box: HTMLElement;
  /** Reads the space there is; called when it changes, never while sliding. */
  measure(tilePx: number, ratio: number): void;
  /** Draws a layer, at once; false if that must wait until the space for it is known. */
  show(maps: Maps, look: Look): boolean;
  /** Brings all but the picture up to date: room to scroll, names, the mark of the chosen channel. */
  refresh(channel: number): void;
}

/** Space around the tiles, as in the stylesheet, where their outlines show. */
const EDGE_PX = 3;
const GAP_PX = 6;
const LABEL_PX = 14;
/** Below this a tile has no room for its number. */
const LABELLED_TILE_PX = 40;

/** @param onChoose takes the channel that the reader picks; null where there is nothing to pick */
export function makeGridView(
  on: On,
  label: string,
  onChoose: ((channel: number) => void) | null,
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
  for (const made of [cell, spare]) space.append(h("div", { role: "row" }, made));
  const scroller = h("div.scroller", { role: "grid", "aria-label": label }, space);
  const caption = h("div.caption", h("span", title), h("span", hint));
  const box = h("div.grid", caption, h("div.stage", drawing.canvas, scroller));

  let grid: Grid | null = null;
  let ratio = 1;
  let scroll = 0;
  let maps: Maps | null = null;
  let order: Uint32Array = new Uint32Array();
  let current = 0;
  let focused = 0;

  const place = (target: HTMLElement, at: number) => {
    show(target, at >= 0 && at < order.length);
    if (!grid || target.hidden) return;
    const { x, y } = cellOrigin(grid, at);
    const side = grid.tile / ratio;
    setPixels(target, { width: side, height: side, left: x / ratio, top: y / ratio });
  };

  /** Numbers the tiles in view, and marks the dead ones. */
  const drawLabels = () => {
    if (!grid?.label || !maps) return labels.replaceChildren();
    const count = order.length;
    const [first, last] = visiblePlaces(grid, count, clampScroll(grid, count, scroll));
    while (labels.childElementCount < last - first) labels.append(h("span"));
    [...labels.children].forEach((label, n) => {
      const at = n < last - first ? first + n : -1;
      const channel = order[at];
      place(label as HTMLElement, at);
      if (!maps || channel === undefined) return;
      setText(label, `${channel}`);
      setAttributes(label, { "data-dead": isDead(maps, channel) && words.dead });
    });
  };

  const describe = (at: number): string => {
    const channel = order[at];
    if (!maps || channel === undefined) return "";
    const low = formatNumber(maps.minimum[channel] ?? 0);
    const high = formatNumber(maps.maximum[channel] ?? 0);
    return words.cell(channel, low, high, isDead(maps, channel));
  };

  const fillCell = () => {
    if (!grid) return;
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
    const bottom = y + grid.tile + grid.label;
    if (y < scroll) scroller.scrollTop = y / ratio;
    else if (bottom > scroll + grid.height) scroller.scrollTop = (bottom - grid.height) / ratio;
    cell.focus({ preventScroll: true });
    spare.hidden = true;
    setText(hint, describe(at));
  };

  const pick = (at: number) => {
    const channel = order[at];
    if (channel !== undefined) onChoose?.(channel);
  };

  const placeAt = ({ clientX, clientY }: MouseEvent): number => {
    const { left, top } = scroller.getBoundingClientRect();
    const x = (clientX - left - EDGE_PX) * ratio;
    const y = (clientY - top - EDGE_PX) * ratio + scroll;
    return grid ? cellAt(grid, order.length, x, y) : -1;
  };

  const hover = (at: number) => {
    place(hovered, at);
    setText(hint, describe(at));
  };

  on(scroller, "scroll", () => {
    scroll = scroller.scrollTop * ratio;
    drawing.scrollTo(scroll);
    drawLabels();
  });
  on(scroller, "pointermove", (event) => hover(placeAt(event)));
  on(scroller, "pointerleave", () => hover(-1));
  on(scroller, "focusin", () => {
    setText(hint, describe(focused));
  });
  on(scroller, "click", (event) => {
    const at = placeAt(event);
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

  const refresh = (channel: number) => {
    if (!grid || !maps) return;
    const { fullHeight, fullWidth, factor } = maps;
    const count = order.length;
    setPixels(space, { height: contentHeight(grid, count) / ratio });
    setText(
      title,
      words.channels(count, fullHeight, fullWidth) + (factor > 1 ? words.reduced(factor) : ""),
    );
    setAttributes(scroller, {
      "aria-rowcount": rowCount(grid, count),
      "aria-colcount": Math.min(grid.columns, count),
    });
    const at = order.indexOf(channel);
    if (channel !== current && at >= 0) focused = at;
    current = channel;
    place(chosen, onChoose ? at : -1);
    focused = Math.min(focused, Math.max(0, count - 1));
    fillCell();
    drawLabels();
  };

  return {
    box,
    refresh,
    measure(tilePx, pixelRatio) {
      ratio = pixelRatio;
      const { clientWidth, clientHeight } = scroller;
      const width = Math.floor((clientWidth - 2 * EDGE_PX) * ratio);
      const height = Math.floor((clientHeight - 2 * EDGE_PX) * ratio);
      if (width < 1 || height < 1) return;
      grid = layoutGrid({
        width,
        height,
        tile: Math.max(1, Math.round(tilePx * ratio)),
        gap: Math.round(GAP_PX * ratio),
        label: tilePx < LABELLED_TILE_PX ? 0 : Math.round(LABEL_PX * ratio),
      });
      drawing.resize(grid, ratio);
      refresh(current);
    },
    show(next, look) {
      maps = next;
      order = channelOrder(next, look.sort);
      return drawing.show(next, order, look);
    },
  };
}
