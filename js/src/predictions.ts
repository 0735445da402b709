/** What the network says of the picture: the top classes with their probabilities. */

import { element } from "./dom";
import { formatNumber, formatProbability } from "./format";
import type { Frame } from "./wire";
import { words } from "./words";

export interface Prediction {
  readonly index: number;
  readonly name: string;
  readonly score: number | null;
  readonly probability: number | null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Reads the predictions of a frame of kind "input"; what is malformed is left out. */
export function readPredictions(frame: Frame): Prediction[] {
  const { predictions } = frame.header;
  if (!Array.isArray(predictions)) return [];
  return predictions.flatMap((entry: Record<string, unknown> | null) => {
    if (!entry || typeof entry.index !== "number") return [];
    const name = typeof entry.name === "string" ? entry.name : String(entry.index);
    const score = numberOrNull(entry.score);
    return [{ index: entry.index, name, score, probability: numberOrNull(entry.probability) }];
  });
}

export class Predictions {
  readonly box: HTMLElement;
  readonly #list = element("ol");
  readonly #kind = element("p", { class: "cnnviz-quiet" });

  constructor() {
    const title = element("h3", {}, words.says);
    this.box = element("section", { class: "cnnviz-predictions" }, title, this.#list, this.#kind);
  }

  show(predictions: readonly Prediction[], scoreKind: string): void {
    this.#list.replaceChildren(...predictions.map(row));
    this.#kind.textContent =
      predictions.length > 0 ? words.probabilityOf(scoreKind) : words.noPredictions;
  }
}

function row({ name, score, probability }: Prediction): HTMLElement {
  const share = Math.max(0, Math.min(1, probability ?? 0));
  const bar = element("span", { class: "cnnviz-share", style: `--share:${share}` });
  const number = probability === null ? formatNumber(score ?? 0) : formatProbability(probability);
  const title = score === null ? name : `${name}: ${words.scoreOf(formatNumber(score))}`;
  return element(
    "li",
    { title },
    element("span", { class: "cnnviz-class" }, name),
    element("span", { class: "cnnviz-number" }, number),
    bar,
  );
}
