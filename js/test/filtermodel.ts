/** Filters made by hand, and the model of a FilterGrid over a fake kernel. */

import type { Bank, FilterEntry, FilterIndex, FilterTraits } from "../src/filters";
import { indexOf, layerEntry, type Sent, WidgetModel } from "./model";
import { SPOKEN } from "./tables";

/** A layer with weights; filters of two kernels of 2 x 2 if nothing else is said. */
export function filterEntry(
  name: string,
  place: number,
  facts: Partial<FilterEntry> = {},
): FilterEntry {
  const usual = { filters: 3, inputs: 2, kernel: [1, 2, 2], axes: 2, groups: 1 };
  const rest = { dilation: [1, 1, 1], note: "", colour: false, fold: null, answers: name };
  const entry = { ...layerEntry(name, place), ...usual, ...rest, ...facts };
  return { ...entry, shape: [1, entry.filters, entry.inputs, ...entry.kernel.slice(1)] };
}

interface Facts {
  form?: Bank["form"];
  sides?: readonly number[];
  signed?: boolean;
  factor?: number;
  codes?: readonly number[];
  ends?: readonly number[];
  minimum?: readonly number[];
  maximum?: readonly number[];
  norm?: readonly number[];
  likeness?: Bank["likeness"];
}

/** All filters of a layer; what is not given is 1 for each filter, or 0. */
export function bankOf(facts: Facts): Bank {
  const { form = "kernels", sides = [1, 1, 1], signed = true, factor = 1, codes = [] } = facts;
  const filters = (facts.norm ?? facts.ends ?? [1]).length;
  const row = (values: readonly number[] | undefined) =>
    Float32Array.from(values ?? new Array<number>(filters).fill(1));
  return {
    form,
    seq: 1,
    filters,
    sides,
    signed,
    factor,
    codes: Uint8Array.from(codes),
    ends: row(facts.ends),
    minimum: row(facts.minimum),
    maximum: row(facts.maximum),
    mean: new Float32Array(filters),
    norm: row(facts.norm),
    zeros: new Uint32Array(filters),
    likeness: facts.likeness ?? null,
  };
}

export const FILTER_LAYERS = ["stem", "body.conv", "head"];

export function filterIndex(batch = 2): FilterIndex {
  const layers = FILTER_LAYERS.map((name, place) =>
    name === "head"
      ? filterEntry(name, place, { filters: 4, inputs: 5, kernel: [1, 1, 1], axes: 0 })
      : filterEntry(name, place, batch ? {} : { answers: null }),
  );
  return { ...indexOf(), batch, layers, bounds: { dead: 0.02, twin: 0.99 } };
}

/** The model of a FilterGrid. */
export class FilterModel extends WidgetModel<FilterTraits> {
  constructor(traits: Partial<FilterTraits> = {}) {
    super({
      ...SPOKEN,
      _index: filterIndex(),
      linked: true,
      layer: "stem",
      filter: 0,
      image: 0,
      scale_mode: "layer",
      sort: "index",
      tile: 64,
      ...traits,
    } as FilterTraits);
  }

  /** Answers a request for a layer: norms of three filters, or a matrix of 4 x 5. */
  answerLayer(request = this.last("layer")): void {
    const isHead = request?.params.layer === "head";
    const filters = isHead ? 4 : 3;
    const width = isHead ? 5 : 2;
    const height = isHead ? 1 : 2;
    const codes = Array.from({ length: filters * height * width }, (_, i) => i * 10);
    const row = (value: number) => new Array<number>(filters).fill(value);
    const norms = Array.from({ length: filters }, (_, i) => (i === 1 ? 0 : i + 1));
    this.frame(
      request,
      { kind_of: isHead ? "matrix" : "kernels", signed: isHead },
      {
        codes: [[filters, 1, height, width], codes],
        facts: [
          [5, filters],
          [...row(2), ...row(-1), ...row(2), ...row(0.5), ...norms],
        ],
      },
    );
  }

  /** Answers a request for one filter: 0, 1, 2 and so on, divided by eight. */
  answerFilter(request = this.last("filter")): void {
    const isHead = request?.params.layer === "head";
    const shape = isHead ? [5, 1, 1, 1] : [2, 1, 2, 2];
    const values = Array.from({ length: isHead ? 5 : 8 }, (_, i) => i / 8);
    this.frame(request, {}, { values: [shape, values] });
  }

  answerAnswer(request = this.last("answer")): void {
    if (request?.params.layer === "head") {
      const fields = { kind_of: "value", value: 1.5, label: "cat", place: 1, count: 4 };
      this.frame(request, fields, {});
    } else
      this.frame(
        request,
        { kind_of: "map" },
        {
          values: [
            [1, 2],
            [-1, 3],
          ],
        },
      );
  }

  /** Answers everything that is asked until nothing more is. */
  answerAll(): void {
    const answers: Record<string, (request: Sent) => void> = {
      layer: (request) => this.answerLayer(request),
      filter: (request) => this.answerFilter(request),
      answer: (request) => this.answerAnswer(request),
      likeness: (request) => this.frame(request, { note: "few" }, {}),
      input: (request) => this.answerInput(request),
      prefetch: (request) => this.frame(request, { sent: [] }, {}),
    };
    for (let seen = 0; seen < this.sent.length; seen++) {
      const request = this.sent[seen];
      if (request?.type === "hello") this.welcome();
      else if (request?.type === "req") answers[request.kind]?.(request);
    }
  }
}
