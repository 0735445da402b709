/** The picture that goes in, the choice among those of the batch, and what the network says of it. */

import { h, type On, setText } from "./dom";
import { formatNumber, formatProbability } from "./format";
import { type InputPicture, makeInputPicture } from "./inputpicture";
import type { ScoreKind } from "./traits";
import { say } from "./words";

export interface InputPanel extends Omit<InputPicture, "box"> {
  readonly picture: HTMLElement;
  readonly predictions: HTMLElement;
}

/** Predictions listed, however many come. */
const LISTED = 5;

function row(entry: unknown): HTMLElement {
  const { index, name, score, probability } = Object(entry) as Readonly<Record<string, unknown>>;
  const share = Math.max(0, Math.min(1, Number(probability ?? 0)));
  return h(
    "li",
    { title: `${name}`, style: `--share:${share}`, "data-target": `${index}` },
    h("span.class", `${name}`),
    h("span.number", probability === null ? formatNumber(Number(score)) : formatProbability(share)),
  );
}

export function makeInputPanel(on: On, onChoose: (image: number) => void): InputPanel {
  const picture = makeInputPicture(on, onChoose);
  const list = h("ol");
  const kind = h("p.quiet");
  return {
    ...picture,
    picture: picture.box,
    predictions: h("section.predictions", h("h3", say("says")), list, kind),
    show(frame) {
      picture.show(frame);
      const { predictions, score_kind: scores } = frame.header;
      const found = Array.isArray(predictions) ? predictions : [];
      list.replaceChildren(...found.slice(0, LISTED).map(row));
      setText(kind, found.length ? say(`scores_${scores as ScoreKind}`) : say("no_scores"));
    },
  };
}
