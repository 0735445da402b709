/** The instrument people hold: the layer slider over the whole width, and what the layer is. */

import { inputControl } from "./controls";
import { h, type On, setText } from "./dom";
import { formatParameters, formatShape } from "./format";
import type { LayerEntry } from "./traits";
import { say } from "./words";

export interface Header {
  readonly box: HTMLElement;
  /** Takes the layers in execution order. */
  setLayers(leaves: readonly LayerEntry[]): void;
  /** Names a layer: text nodes only, for this is part of every step of a slide. */
  name(layer: LayerEntry, place: number): void;
  setStatus(status: string): void;
}

export function makeHeader(on: On, onSlide: (layer: LayerEntry) => void): Header {
  let leaves: readonly LayerEntry[] = [];
  const { box: control, input } = inputControl("range", "layer", say("layer"), on, () => {
    const layer = leaves[input.valueAsNumber];
    if (layer) onSlide(layer);
  });
  const sections = h("div.sections", { "aria-hidden": "true" });
  const facts = [0, 1, 2, 3, 4].map(() => new Text());
  const status = h("span.status", { role: "status" });
  const line = h("div.facts", ...facts.map((fact, i) => h(i ? "span" : "strong", fact)), status);

  return {
    box: h("header", { role: "none" }, control, sections, line),
    setLayers(list) {
      leaves = list;
      input.max = `${list.length - 1}`;
      input.disabled = list.length < 2;
      const sizes: [string, number][] = [];
      for (const { path } of list) {
        const [section = ""] = path.split(".");
        const last = sizes.at(-1);
        if (last?.[0] === section) last[1] += 1;
        else sizes.push([section, 1]);
      }
      sections.replaceChildren(
        ...sizes.map(([title, size]) => h("span", { style: `flex-grow:${size}` }, title)),
      );
    },
    name({ name, leaf, type, shape, params }, place) {
      const where = leaf ? say("place", { place: place + 1, count: leaves.length }) : say("block");
      const parameters = formatParameters(params);
      [name, where, type, formatShape(shape), parameters].forEach((text, i) => {
        setText(facts[i] as Text, text);
      });
      input.setAttribute("aria-valuetext", say("listed", { first: name, second: where }));
      if (input.valueAsNumber !== place) input.value = `${place}`;
    },
    setStatus(text) {
      setText(status, text);
    },
  };
}
