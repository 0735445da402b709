/** The legend, always there: which scale is in force, its ends as numbers, the special colours. */

import { type Palette, type Scale, type SpecialName, scaleRange, specialColours } from "./colormap";
import { element, show, text } from "./dom";
import { formatNumber } from "./format";
import { type Extent, layerExtent, type Maps, specialValues } from "./maps";
import { words } from "./words";

const NAMES: readonly SpecialName[] = ["nan", "posinf", "neginf", "below", "above"];

export class Legend {
  readonly box: HTMLElement;
  readonly #words = text();
  readonly #low = text();
  readonly #high = text();
  readonly #centred = element("span", { class: "cnnviz-quiet" }, words.centred);
  readonly #bar = element("canvas", { class: "cnnviz-ramp", width: 256, height: 1 });
  readonly #swatches = new Map<SpecialName, HTMLElement>();
  #palette: Palette | null = null;

  constructor() {
    const swatches = NAMES.map((name) => {
      const colour = `rgb(${specialColours[name].join(" ")})`;
      const sample = element("i", { style: `background:${colour}` });
      const swatch = element("li", {}, sample, words.special[name]);
      this.#swatches.set(name, swatch);
      return swatch;
    });
    const scale = element(
      "span",
      { class: "cnnviz-scale" },
      element("span", { class: "cnnviz-end" }, this.#low),
      this.#bar,
      element("span", { class: "cnnviz-end" }, this.#high),
      this.#centred,
    );
    this.box = element(
      "div",
      { class: "cnnviz-legend", role: "group", "aria-label": words.legendLabel },
      element("span", { class: "cnnviz-legend-words" }, this.#words),
      scale,
      element("ul", { class: "cnnviz-special" }, ...swatches),
    );
  }

  showMaps(maps: Maps, channel: number, scale: Scale, palette: Palette): void {
    const own = { low: maps.minimum[channel] ?? 0, high: maps.maximum[channel] ?? 0 };
    const sentence = {
      channel: words.legendChannel(channel),
      layer: words.legendLayer,
      fixed: words.legendFixed,
    }[scale.mode];
    this.#show(sentence, scaleRange(scale, own, layerExtent(maps)));
    show(this.#bar, true);
    show(this.#centred, scale.diverging);
    if (palette !== this.#palette) this.#drawBar(palette);
    const present = specialValues(maps);
    const { low, high } = layerExtent(maps);
    const range = scaleRange(scale, own, { low, high });
    const isFixed = scale.mode === "fixed";
    this.#emphasise({
      ...present,
      below: isFixed && low < range.low,
      above: isFixed && high > range.high,
    });
  }

  showVector(extent: Extent | null): void {
    this.#show(words.legendVector, extent ?? { low: 0, high: 0 });
    show(this.#bar, false);
    show(this.#centred, false);
    this.#emphasise({ nan: false, posinf: false, neginf: false, below: false, above: false });
  }

  #show(sentence: string, { low, high }: Extent): void {
    this.#words.data = sentence;
    this.#low.data = formatNumber(low);
    this.#high.data = formatNumber(high);
    const label = words.range(this.#low.data, this.#high.data);
    this.#bar.setAttribute("aria-label", label);
  }

  #emphasise(present: Readonly<Record<SpecialName, boolean>>): void {
    for (const name of NAMES) this.#swatches.get(name)?.toggleAttribute("data-on", present[name]);
  }

  #drawBar(palette: Palette): void {
    const context = this.#bar.getContext("2d");
    if (!context) return;
    const image = context.createImageData(256, 1);
    new Uint32Array(image.data.buffer, image.data.byteOffset, 256).set(palette.table);
    context.putImageData(image, 0, 0);
    this.#palette = palette;
  }
}
