/** What folds away: scale, colours, order, tile size, and the layer's input beside its output. */

import { colormapNames, isDiverging, type Scale, type ScaleMode } from "./colormap";
import { checkControl, numberControl, selectControl } from "./controls";
import { element, setAttributes, show } from "./dom";
import { isSortKey, type SortKey, sortKeys } from "./order";
import { words } from "./words";

export interface ViewOptions {
  readonly scale: Scale;
  readonly colormap: string;
  readonly sort: SortKey;
  readonly tile: number;
  readonly showInput: boolean;
}

const TILES_PX = [32, 48, 64, 96, 128, 192, 256];
const MODES: readonly ScaleMode[] = ["channel", "layer", "fixed"];

export function isScaleMode(value: unknown): value is ScaleMode {
  return MODES.some((mode) => mode === value);
}

export class Options {
  readonly box: HTMLElement;
  readonly #scale: HTMLSelectElement;
  readonly #low: HTMLInputElement;
  readonly #high: HTMLInputElement;
  readonly #ends: readonly HTMLElement[];
  readonly #colormap: HTMLSelectElement;
  readonly #sort: HTMLSelectElement;
  readonly #tile: HTMLSelectElement;
  readonly #showInput: HTMLInputElement;

  constructor(signal: AbortSignal, onChange: (change: Partial<ViewOptions>) => void) {
    const scaleNow = (): Scale => ({
      mode: MODES.find((mode) => mode === this.#scale.value) ?? "channel",
      low: this.#low.valueAsNumber,
      high: this.#high.valueAsNumber,
      diverging: isDiverging(this.#colormap.value),
    });
    const changeScale = () => {
      const scale = scaleNow();
      const isUpsideDown = scale.mode === "fixed" && !(scale.low <= scale.high);
      for (const end of [this.#low, this.#high]) {
        setAttributes(end, { "aria-invalid": isUpsideDown ? "true" : null });
      }
      if (!isUpsideDown) onChange({ scale });
    };
    const scales = MODES.map((mode) => [mode, words.scales[mode]] as const);
    const scale = selectControl("scale", words.scale, scales, signal, changeScale);
    const low = numberControl("scale-low", words.low, signal, changeScale);
    const high = numberControl("scale-high", words.high, signal, changeScale);
    const maps = colormapNames.map(
      (name) => [name, words.colormapKind(name, isDiverging(name))] as const,
    );
    const colormap = selectControl("colormap", words.colormap, maps, signal, (name) =>
      onChange({ colormap: name, scale: scaleNow() }),
    );
    const sorts = sortKeys.map((key) => [key, words.sorts[key]] as const);
    const sort = selectControl("sort", words.sort, sorts, signal, (key) => {
      if (isSortKey(key)) onChange({ sort: key });
    });
    const tiles = TILES_PX.map((size) => [String(size), words.tilePixels(size)] as const);
    const tile = selectControl("tile", words.tile, tiles, signal, (size) =>
      onChange({ tile: Number(size) }),
    );
    const input = checkControl("show-input", words.showInput, signal, (showInput) =>
      onChange({ showInput }),
    );
    this.#scale = scale.input;
    this.#low = low.input;
    this.#high = high.input;
    this.#ends = [low.box, high.box];
    this.#colormap = colormap.input;
    this.#sort = sort.input;
    this.#tile = tile.input;
    this.#showInput = input.input;
    const boxes = [scale, low, high, colormap, sort, tile, input].map((control) => control.box);
    this.box = element(
      "details",
      { class: "cnnviz-options" },
      element("summary", {}, words.view),
      element("div", { class: "cnnviz-option-list" }, ...boxes),
    );
  }

  /** Shows the options in force; a field that is being typed into is left alone. */
  show(options: ViewOptions): void {
    const { scale } = options;
    this.#scale.value = scale.mode;
    for (const end of this.#ends) show(end, scale.mode === "fixed");
    setNumber(this.#low, scale.low);
    setNumber(this.#high, scale.high);
    this.#colormap.value = options.colormap;
    this.#sort.value = options.sort;
    const size = String(options.tile);
    if (![...this.#tile.options].some(({ value }) => value === size)) {
      this.#tile.append(element("option", { value: size }, words.tilePixels(options.tile)));
    }
    this.#tile.value = size;
    this.#showInput.checked = options.showInput;
  }
}

function setNumber(input: HTMLInputElement, value: number): void {
  if (document.activeElement === input || input.valueAsNumber === value) return;
  input.value = String(value);
}
