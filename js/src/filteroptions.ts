/** What folds away: order, scale and size of the filters. */

import { selectControl } from "./controls";
import { h, type On } from "./dom";
import type { FilterTraits } from "./filters";
import { say } from "./words";

export const FILTER_VIEW_TRAITS = ["scale_mode", "sort", "tile"] as const;

export type FilterView = Readonly<Pick<FilterTraits, (typeof FILTER_VIEW_TRAITS)[number]>>;

export interface FilterOptions {
  readonly box: HTMLElement;
  show(view: FilterView): void;
}

const SORTS = ["index", "norm", "similarity"] as const;
const SCALES = ["layer", "filter"] as const;
const TILES_PX = [32, 48, 64, 96, 128, 192, 256];

export function makeFilterOptions(
  on: On,
  onChange: (change: Partial<FilterView>) => void,
): FilterOptions {
  const sorts = SORTS.map((name) => [name, say(`sort_${name}`)] as const);
  const scales = SCALES.map((name) => [name, say(`filter_scale_${name}`)] as const);
  const sort = selectControl("sort", say("sort"), sorts, on, (value) =>
    onChange({ sort: value as FilterView["sort"] }),
  );
  const scale = selectControl("scale", say("scale"), scales, on, (value) =>
    onChange({ scale_mode: value as FilterView["scale_mode"] }),
  );
  const tiles = TILES_PX.map((size) => [`${size}`, `${size} px`] as const);
  const tile = selectControl("tile", say("tile"), tiles, on, (size) =>
    onChange({ tile: Number(size) }),
  );
  const controls = [sort, scale, tile];
  return {
    box: h(
      "details",
      h("summary", say("view")),
      h("div.options", ...controls.map((control) => control.box)),
    ),
    show(view) {
      sort.input.value = view.sort;
      scale.input.value = view.scale_mode;
      const size = `${view.tile}`;
      tile.input.value = size;
      if (tile.input.value === size) return;
      tile.input.append(h("option", { value: size }, `${size} px`));
      tile.input.value = size;
    },
  };
}
