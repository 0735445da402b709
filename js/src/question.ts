/** Asks the reader which axis of a layer's output is which, where the shape alone does not tell. */

import { selectControl } from "./controls";
import { element } from "./dom";
import type { Question } from "./maps";
import type { LayerEntry } from "./traits";
import { words } from "./words";

const BY_RANK: Readonly<Record<number, readonly string[]>> = {
  2: ["NC"],
  3: ["NLC", "NCL"],
  4: ["NCHW", "NHWC"],
  5: ["NCDHW"],
};

export class QuestionView {
  readonly box: HTMLElement;
  readonly #why = element("p");
  readonly #note = element("p", { class: "cnnviz-quiet" });
  readonly #select: HTMLSelectElement;
  #layer = "";

  constructor(signal: AbortSignal, onAnswer: (layer: string, layout: string) => void) {
    const control = selectControl("layout", words.askLayout, [], signal, (layout) => {
      if (layout) onAnswer(this.#layer, layout);
    });
    this.#select = control.input;
    this.box = element("div", { class: "cnnviz-question" }, this.#why, this.#note, control.box);
  }

  show(question: Question, layer: LayerEntry): void {
    this.#layer = layer.name;
    this.#why.textContent = words.askWhy(`(${layer.shape.join(", ")})`);
    this.#note.textContent = question.note ?? "";
    const choices = question.choices ?? BY_RANK[layer.shape.length] ?? [];
    this.#select.replaceChildren(
      element("option", { value: "" }, words.choose),
      ...choices.map((layout) => {
        const meaning = words.layouts[layout];
        return element("option", { value: layout }, meaning ? `${layout}: ${meaning}` : layout);
      }),
    );
  }
}
