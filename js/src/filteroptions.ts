/** What folds away: order, scale and size of the filters. */

import { folded, selectControl, tileControl } from "./controls";
import type { On } from "./dom";
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
  const tile = tileControl(on, (size) => onChange({ tile: size }));
  return {
    box: folded([sort, scale, tile]),
    show(view) {
      sort.input.value = view.sort;
      scale.input.value = view.scale_mode;
      tile.set(view.tile);
    },
  };
}
