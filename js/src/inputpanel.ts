/** The picture that goes in, the choice among those of the batch, and what the network says of it. */

import { inputControl } from "./controls";
import { h, makeImage, type On, setText, show } from "./dom";
import { formatNumber, formatProbability } from "./format";
import { makeFrame, type Spot } from "./frame";
import type { Block, Frame } from "./wire";
import * as words from "./words";

export interface InputPanel {
  readonly picture: HTMLElement;
  readonly predictions: HTMLElement;
  /** Names the chosen picture; its pixels come later. */
  choose(image: number, batch: number): void;
  /** Shows a frame of kind "input". */
  show(frame: Frame): void;
  /** Marks the place that a point of a map stands over. */
  mark(spot: Spot | null): void;
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
  const { frame, canvas, resize, mark } = makeFrame({ role: "img", "aria-label": words.picture });
  const none = h("p.quiet", { hidden: true }, words.noPicture);
  const { box, label, input } = inputControl("range", "image", "", on, () =>
    onChoose(input.valueAsNumber),
  );
  const list = h("ol");
  const kind = h("p.quiet");

  const drawPicture = ({ shape, data }: Block) => {
    const [height = 0, width = 0] = shape;
    resize(width, height);
    const { pixels, put } = makeImage(canvas, width, height);
    for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
      const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
      pixels[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
    }
    put();
  };

  return {
    picture: h("div.picture", h("div.square", frame, none), box),
    predictions: h("section.predictions", h("h3", words.says), list, kind),
    mark,
    choose(image, batch) {
      input.max = `${batch - 1}`;
      input.value = `${image}`;
      setText(label, words.pictureOf(image + 1, batch));
      input.setAttribute("aria-valuetext", label.textContent);
      show(box, batch > 1);
    },
    show({ arrays: { rgb }, header }) {
      show(frame, rgb !== undefined);
      show(none, rgb === undefined);
      if (rgb) drawPicture(rgb);
      const found = Array.isArray(header.predictions) ? header.predictions : [];
      list.replaceChildren(...found.slice(0, LISTED).map(row));
      setText(kind, found.length ? words.probability(`${header.score_kind}`) : words.noScores);
    },
  };
}
