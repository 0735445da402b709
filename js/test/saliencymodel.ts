/** The model of a SaliencyOverlay over a fake kernel. */

import type { ParameterInfo } from "../src/parameters";
import type { MethodInfo, SaliencyTraits } from "../src/saliencytraits";
import { indexOf, type Sent, WidgetModel } from "./model";
import { SPOKEN } from "./tables";

const ABOUT = {
  family: "saliency",
  usual: "absolute",
  paper: "arXiv:1",
  passes: "1 forward",
  summary: "What it is.",
};

function method(name: string, title: string, changes: Partial<MethodInfo> = {}): MethodInfo {
  const common = { ...ABOUT, progressive: false, at_layer: false, parameters: [] };
  return { name, title, ...common, ...changes } as MethodInfo;
}

const MASKS: ParameterInfo = {
  name: "masks",
  label: "Masks",
  kind: "int",
  default: 1000,
  low: 1,
  high: 9999,
  choices: [],
  help: "",
};

export const METHODS: readonly MethodInfo[] = [
  method("gradient", "Gradient"),
  method("rise", "RISE", { progressive: true, parameters: [MASKS] }),
  method("guided_backprop", "Guided backpropagation"),
  method("gradcam", "Grad-CAM", { family: "cam", usual: "positive", at_layer: true }),
];

const TARGET = { index: 3, name: "cat", score: 4.5, score_kind: "logit" };
const FACTS = { layer: null, note: null, target: TARGET, forward: 25, backward: 0, seconds: 3.21 };

export class SaliencyFake extends WidgetModel<SaliencyTraits> {
  constructor(traits: Partial<SaliencyTraits> = {}) {
    super({
      ...SPOKEN,
      _index: indexOf(),
      _methods: METHODS,
      _grids: ["stem", "body.conv"],
      linked: true,
      panels: [{ method: "gradient", parameters: {} }],
      target: null,
      image: 0,
      layer: null,
      show: "both",
      opacity: 0.5,
      form: "usual",
      percentile: 100,
      smooth: true,
      colormap: "gray",
      ...traits,
    });
  }

  /** Answers with a finished map of 1 x 2 values: `value` and -2 times it. */
  answerMap(request = this.last(), value = 1, facts: object = {}): void {
    const values: [number[], number[]] = [
      [1, 2],
      [value, -2 * value],
    ];
    this.frame(request, { ...FACTS, ...facts }, { values });
  }

  /** Answers with a map so far, whose codes stand for -1 and 1. */
  answerPartial(request = this.last(), done = 10, total = 40): void {
    this.frame(
      request,
      { ...FACTS, done, total, final: false },
      {
        codes: [
          [1, 1, 2],
          [0, 252],
        ],
        range: [[2], [-1, 1]],
      },
    );
  }

  fail(message: string, hint: string | null = null, request: Sent | undefined = this.last()): void {
    const { cid, seq, kind } = request ?? {};
    this.receive({ type: "err", cid, seq, kind, message, hint });
  }

  /** Answers everything that is asked until nothing more is. */
  answerAll(): void {
    for (let seen = 0; seen < this.sent.length; seen++) {
      const request = this.sent[seen];
      if (request?.type === "hello") this.welcome();
      if (request?.kind === "input") this.answerInput(request);
      if (request?.kind?.startsWith("panel:")) this.answerMap(request);
    }
  }
}
