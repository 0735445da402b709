/** Samples to choose from: small pictures, of which one is chosen as among radio buttons. */

import { h, makeImage, type On, show } from "./dom";
import { paintRgb } from "./rgb";
import type { Block } from "./wire";
import { say } from "./words";

export interface PickerSamples {
  readonly box: HTMLElement;
  setNames(names: readonly string[]): void;
  /** Draws the small pictures, shape (N, h, w, 3). */
  draw(pictures: Block): void;
  /** Marks the chosen one; -1 for none. */
  choose(place: number): void;
  setEnabled(isEnabled: boolean): void;
}

let groups = 0;

export function makePickerSamples(on: On, onChoose: (place: number) => void): PickerSamples {
  groups += 1;
  // Radio buttons of one name are one group, in the whole page.
  const group = `cnnviz-samples-${groups}-${Math.random().toString(36).slice(2)}`;
  const list = h("div.samples", { role: "radiogroup", "aria-label": say("sample_pictures") });
  const box = h("section", { hidden: true }, h("h3", say("sample_pictures")), list);
  let entries: { input: HTMLInputElement; canvas: HTMLCanvasElement }[] = [];

  const makeEntry = (name: string, place: number, count: number) => {
    const label = name || say("sample_of", { place: place + 1, count: count });
    const input = h("input", {
      type: "radio",
      name: group,
      value: place,
      "data-cnnviz-control": "sample",
      "aria-label": label,
    });
    on(input, "change", () => onChoose(place));
    const canvas = h("canvas");
    list.append(h("label", { title: label }, input, canvas));
    return { input, canvas };
  };

  return {
    box,
    setNames(names) {
      list.replaceChildren();
      entries = names.map((name, place) => makeEntry(name, place, names.length));
      show(box, names.length > 0);
    },
    draw({ shape, data }) {
      const [, height = 0, width = 0] = shape;
      entries.forEach(({ canvas }, place) => {
        canvas.width = width;
        canvas.height = height;
        const { pixels, put } = makeImage(canvas, width, height);
        paintRgb(pixels, data, 3 * place * height * width);
        put();
      });
    },
    choose(place) {
      entries.forEach(({ input }, n) => {
        input.checked = n === place;
      });
    },
    setEnabled(isEnabled) {
      for (const { input } of entries) input.disabled = !isEnabled;
    },
  };
}
