/** What folds away: scale, colours, order, tile size, and the layer's input beside its output. */

import { isDiverging, type ScaleMode } from "./colormap";
import { folded, inputControl, selectControl, tileControl } from "./controls";
import { type On, setAttributes, show } from "./dom";
import type { View } from "./layertraits";
import { type SortKey, sortKeys } from "./order";
import { colormapNames, colormapTitle } from "./palettes";
import { say } from "./words";

export interface Options {
  readonly box: HTMLElement;
  /** Shows the options in force; a field that is being typed into is left alone. */
  show(view: View): void;
}

const SCALES = ["channel", "layer", "fixed"] as const;

export function makeOptions(on: On, onChange: (change: Partial<View>) => void): Options {
  const changeScale = () => {
    const change = {
      scale_mode: scale.input.value as ScaleMode,
      scale_low: low.input.valueAsNumber,
      scale_high: high.input.valueAsNumber,
      diverging: isDiverging(colormap.input.value),
      colormap: colormap.input.value,
    };
    const isRange = change.scale_low <= change.scale_high;
    for (const end of ends) setAttributes(end.input, { "aria-invalid": !isRange && "true" });
    if (isRange) onChange(change);
  };
  const scales = SCALES.map((mode) => [mode, say(`scale_${mode}`)] as const);
  const scale = selectControl("scale", say("scale"), scales, on, changeScale);
  const low = inputControl("number", "scale-low", say("scale_low"), on, changeScale);
  const high = inputControl("number", "scale-high", say("scale_high"), on, changeScale);
  const ends = [low, high];
  const maps = colormapNames.map((name) => [name, colormapTitle(name)] as const);
  const colormap = selectControl("colormap", say("colormap"), maps, on, changeScale);
  const sorts = sortKeys.map((key) => [key, say(`sort_${key}`)] as const);
  const sort = selectControl("sort", say("sort"), sorts, on, (key) =>
    onChange({ sort: key as SortKey }),
  );
  const tile = tileControl(on, (size) => onChange({ tile: size }));
  const input = inputControl("checkbox", "show-input", say("show_input"), on, ({ checked }) =>
    onChange({ show_input: checked }),
  );
  const controls = [scale, low, high, colormap, sort, tile, input];
  return {
    box: folded(controls),
    show(view) {
      scale.input.value = view.scale_mode;
      for (const end of ends) {
        show(end.box, view.scale_mode === "fixed");
        const value = end === low ? view.scale_low : view.scale_high;
        if (document.activeElement !== end.input) end.input.value = `${value}`;
      }
      colormap.input.value = view.colormap;
      sort.input.value = view.sort;
      tile.set(view.tile);
      input.input.checked = view.show_input;
    },
  };
}
