/** The model of a CamSlider over a fake kernel, whose maps tell layer and class by their values. */

import type { CamMethod, CamTraits } from "../src/camtraits";
import { indexOf, LAYERS, type Sent, WidgetModel } from "./model";
import { SPOKEN } from "./tables";

const method = (name: string, progressive = false): CamMethod => ({
  name,
  title: name.toUpperCase(),
  summary: "What it shows.",
  passes: "1 forward",
  paper: "arXiv:0",
  progressive,
});

export const CLASSES = ["ant", "bee", "cat", "dog"];

export class CamModel extends WidgetModel<CamTraits> {
  constructor(traits: Partial<CamTraits> = {}) {
    super({
      ...SPOKEN,
      _index: { ...indexOf(), classes: CLASSES, class_count: 4 },
      _methods: [method("gradcam"), method("layercam"), method("scorecam", true)],
      _grids: LAYERS.slice(0, 3),
      linked: true,
      layer: "body.relu",
      targets: [],
      image: 0,
      method: "gradcam",
      scale: "rectified",
      opacity: 1,
      threshold: 0,
      smooth: true,
      colormap: "viridis",
      ...traits,
    });
  }

  /** Answers a request for the picture: 2 x 2 pixels, the classes 2 and 1 the likeliest. */
  answerPicture(request = this.last("input")): void {
    const predictions = [2, 1].map((index) => ({
      index,
      name: CLASSES[index],
      score: index,
      probability: index / 4,
    }));
    const rgb: [number[], number[]] = [[2, 2, 3], new Array<number>(12).fill(9)];
    this.frame(request, { predictions, score_kind: "logit", notices: [] }, { rgb });
  }

  /** Sends maps of 2 x 2: the highest is place of the layer + class + 1, the lowest its negative. */
  sendMaps(request: Sent | undefined, layers: readonly string[], fields: object = {}): void {
    const classes = (request?.params.classes ?? []) as number[];
    const table: number[] = [];
    const ranges: number[] = [];
    const codes: number[] = [];
    layers.forEach((layer, at) => {
      for (const target of classes) {
        const high = LAYERS.indexOf(layer) + target + 1;
        table.push(at, target, 2, 2, 0, 0, 1);
        ranges.push(-high, high);
        codes.push(...[0, 252, 126, 0], ...[0, 252, 252, 252]);
      }
    });
    const rows = table.length / 7;
    const header = { layers, notes: [], kind: "maps", final: false };
    this.frame(
      request,
      { ...header, ...fields },
      { table: [[rows, 7], table], ranges: [[rows, 2], ranges], codes: [[codes.length], codes] },
    );
  }

  /** Answers a request for a sweep, or for one ahead. */
  answerSweep(request = this.last("sweep"), layers = LAYERS.slice(0, 3)): void {
    const { method, methods = [method], image } = request?.params ?? {};
    for (const name of methods as string[]) {
      this.sendMaps(request, layers, { params: { method: name, image } });
    }
    this.frame(request, { scores: this.scores(request) }, {});
  }

  /** Answers a request for the maps of one layer. */
  answerMap(request = this.last("map"), fields: object = {}): void {
    const classes = (request?.params.classes ?? []) as number[];
    const values = classes.flatMap((target) => [-1, target + 0.5, 0, 2]);
    const facts = {
      classes,
      statuses: classes.map(() => 0),
      notes: classes.map(() => null),
      scores: this.scores(request),
    };
    this.frame(request, { ...facts, ...fields }, { values: [[classes.length, 2, 2], values] });
  }

  scores(request: Sent | undefined): object[] {
    const classes = (request?.params.classes ?? []) as number[];
    return classes.map((index) => ({
      index,
      name: CLASSES[index],
      score: index + 0.5,
      score_kind: "logit",
      probability: index / 4,
    }));
  }

  /** Answers all that is asked, over and over, until nothing more is. */
  answerEverything(): void {
    for (let seen = 0; seen < this.sent.length; seen++) {
      const request = this.sent[seen];
      if (request?.type === "hello") this.welcome();
      if (request?.kind === "input") this.answerPicture(request);
      if (request?.kind === "sweep" || request?.kind === "ahead") this.answerSweep(request);
      if (request?.kind === "map") this.answerMap(request);
    }
  }
}
