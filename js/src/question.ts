/** Asks the reader which axis of a layer's output is which, where the shape alone does not tell. */

import { selectControl } from "./controls";
import { h, type On, setText } from "./dom";
import type { Question } from "./maps";
import type { LayerEntry } from "./traits";
import { say } from "./words";

export interface QuestionView {
  readonly box: HTMLElement;
  show(question: Question, layer: LayerEntry): void;
}

export function makeQuestionView(
  on: On,
  onAnswer: (layer: string, layout: string) => void,
): QuestionView {
  const why = h("p");
  const note = h("p.quiet");
  let asked = "";
  const { box, input } = selectControl("layout", say("ask_layout"), [], on, (layout) => {
    if (layout) onAnswer(asked, layout);
  });
  return {
    box: h("div.question", why, note, box),
    show({ note: seen, choices }, { name, shape }) {
      asked = name;
      setText(why, say("ask_why", { shape: shape.join(", ") }));
      setText(note, seen);
      const options = (choices ?? []).map((layout) =>
        h("option", { value: layout }, `${layout} ${say(`layout_${layout}`)}`),
      );
      input.replaceChildren(h("option", { value: "" }, say("choose")), ...options);
    },
  };
}
