/** The instrument people hold: the layer slider over the whole width, and what the layer is. */

import { rangeControl } from "./controls";
import { element, text } from "./dom";
import { formatCount, formatShape } from "./format";
import type { LayerEntry } from "./traits";
import { words } from "./words";

export class Header {
  readonly box: HTMLElement;
  readonly slider: HTMLInputElement;
  readonly #name = text();
  readonly #place = text();
  readonly #type = text();
  readonly #shape = text();
  readonly #parameters = text();
  readonly #status = element("span", { class: "cnnviz-status", role: "status" });
  readonly #sections = element("div", { class: "cnnviz-sections", "aria-hidden": "true" });
  #leaves: readonly LayerEntry[] = [];

  constructor(signal: AbortSignal, onSlide: (layer: LayerEntry) => void) {
    const control = rangeControl("layer", words.layer, signal, (value) => {
      const layer = this.#leaves[value - (this.#leaves[0]?.index ?? 0)];
      if (layer) onSlide(layer);
    });
    this.slider = control.input;
    const facts = element(
      "div",
      { class: "cnnviz-facts" },
      element("strong", { class: "cnnviz-name" }, this.#name),
      element("span", { class: "cnnviz-place" }, this.#place),
      element("span", { class: "cnnviz-type" }, this.#type),
      element("span", { class: "cnnviz-shape" }, this.#shape),
      element("span", { class: "cnnviz-parameters" }, this.#parameters),
      this.#status,
    );
    control.box.append(this.#sections);
    this.box = element("header", { class: "cnnviz-head" }, control.box, facts);
  }

  /** Takes the layers in execution order. */
  setLayers(leaves: readonly LayerEntry[]): void {
    this.#leaves = leaves;
    this.slider.min = String(leaves[0]?.index ?? 0);
    this.slider.max = String(leaves.at(-1)?.index ?? 0);
    this.slider.disabled = leaves.length < 2;
    const sections: [string, number][] = [];
    for (const { path } of leaves) {
      const name = path.split(".")[0] ?? "";
      const last = sections.at(-1);
      if (last?.[0] === name) last[1] += 1;
      else sections.push([name, 1]);
    }
    this.#sections.replaceChildren(
      ...sections.map(([name, size]) =>
        element("span", { style: `flex-grow:${size}`, title: name }, name),
      ),
    );
  }

  /** Names a layer: text nodes only, for this is part of every step of a slide. */
  name(layer: LayerEntry, sliderAt: number): void {
    const count = this.#leaves.length;
    const place = layer.index - (this.#leaves[0]?.index ?? 0) + 1;
    this.#name.data = layer.name;
    this.#place.data = layer.leaf ? words.place(place, count) : words.container;
    this.#type.data = layer.type;
    this.#shape.data = formatShape(layer.shape);
    this.#parameters.data =
      layer.params > 0 ? words.parameters(formatCount(layer.params)) : words.noParameters;
    const spoken = layer.leaf ? words.placeOf(layer.name, place, count) : layer.name;
    this.slider.setAttribute("aria-valuetext", spoken);
    if (this.slider.valueAsNumber !== sliderAt) this.slider.value = String(sliderAt);
  }

  setStatus(status: string): void {
    if (this.#status.textContent !== status) this.#status.textContent = status;
  }
}
