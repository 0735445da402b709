/** Where filters are shown: as tiles or as the rows of a matrix, and the kernels of the chosen one. */

import { h, type On, setAttributes, setText, show } from "./dom";
import { layoutRows } from "./filterpaint";
import type { Bank, FilterEntry } from "./filters";
import { bankTiles, type FilterLook, kernelsOf, kernelTiles } from "./filtertiles";
import type { GridSpace } from "./grid";
import { type GridView, makeGridView } from "./gridview";
import { say } from "./words";

export interface FilterStage {
  readonly box: HTMLElement;
  /** CSS pixels that a row of a matrix may take. */
  room(): number;
  measure(tilePx: number, ratio: number): void;
  /** Draws all filters, at once; false if that must wait until the space for them is known. */
  show(bank: Bank, entry: FilterEntry, look: FilterLook): boolean;
  /** Brings up to date what can wait until the picture is on the screen. */
  refresh(filter: number): void;
}

export interface KernelStage {
  readonly box: HTMLElement;
  measure(tilePx: number, ratio: number): void;
  /** Shows the weights of a filter by input, or nothing where it has but one. */
  show(
    bank: Bank,
    entry: FilterEntry,
    filter: number,
    values: Float32Array | null,
    look: FilterLook,
  ): void;
  refresh(input: number): void;
}

/** CSS pixels of a row: as high as the space allows, within bounds. */
const LEAST_ROW_PX = 4;
const MOST_ROW_PX = 24;

/** @param weightsOf the weights of a filter of the layer shown, once they are here */
export function makeFilterStage(
  on: On,
  onChoose: (filter: number) => void,
  weightsOf: (filter: number) => Float32Array | null,
): FilterStage {
  let rows = 1;
  let columns = 1;
  let measured: readonly [tilePx: number, ratio: number] = [0, 1];
  const layout = (space: GridSpace) => {
    const [, ratio] = measured;
    const fair = Math.min(MOST_ROW_PX * ratio, Math.floor(space.height / rows));
    return layoutRows(space, columns, Math.round(Math.max(LEAST_ROW_PX * ratio, fair)));
  };
  const grid = makeGridView(on, say("all_filters"), onChoose);
  const matrix = makeGridView(on, say("all_filters"), onChoose, layout);
  const note = h("p.note");
  /** Grids that have read their space since it last changed; one that is hidden has none. */
  const known = new Set<GridView>();
  let view = grid;
  let text = "";
  return {
    box: h(
      "section.stagebox",
      { "aria-label": say("all_filters") },
      h("h3", say("all_filters")),
      grid.box,
      matrix.box,
      note,
    ),
    room: () => view.room(),
    measure(...next) {
      measured = next;
      known.clear();
      for (const each of [grid, matrix]) each.measure(...next);
    },
    show(bank, entry, look) {
      view = bank.form === "matrix" ? matrix : grid;
      for (const each of [grid, matrix]) show(each.box, each === view);
      const [, , width = 1] = bank.sides;
      // Rows and columns are as large as their number allows.
      if (rows !== bank.filters || columns !== width) known.delete(matrix);
      rows = bank.filters;
      columns = width;
      if (!known.has(view)) view.measure(...measured);
      known.add(view);
      text = entry.note;
      return view.show(bankTiles(bank, entry, look, weightsOf));
    },
    refresh(filter) {
      view.refresh(filter);
      setText(note, text);
    },
  };
}

export function makeKernelStage(on: On, onChoose: (input: number) => void): KernelStage {
  const grid = makeGridView(on, say("of_filter"), onChoose);
  const box = h(
    "section.stagebox",
    { "aria-label": say("of_filter"), hidden: true },
    h("h3", say("of_filter")),
    grid.box,
  );
  return {
    box,
    measure: grid.measure,
    show(bank, entry, filter, values, look) {
      show(box, kernelsOf(entry).count > 1);
      setAttributes(box, { "data-stale": !values });
      if (values) grid.show(kernelTiles(values, filter, bank, entry, look));
    },
    refresh: grid.refresh,
  };
}
