/** The model of an ImagePicker over a fake kernel. */

import type { PickerTraits } from "../src/pickertraits";
import { indexOf, type Sent, WidgetModel } from "./model";
import { SPOKEN } from "./tables";

export class PickerModel extends WidgetModel<PickerTraits> {
  /** Parts of files, as they were sent. */
  readonly parts: { part: Sent & { upload: number; place: number }; bytes: Uint8Array }[] = [];

  constructor(traits: Partial<PickerTraits> = {}) {
    super({
      ...SPOKEN,
      _index: { ...indexOf(), batch: 1 },
      linked: true,
      image: 0,
      fit: "crop",
      _chosen: {},
      _names: ["ant", "", "cat"],
      _preprocess: "",
      _most_bytes: 32 << 20,
      ...traits,
    });
  }

  override send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    super.send(content);
    const part = content as (typeof this.parts)[number]["part"];
    const [bytes = new ArrayBuffer()] = buffers;
    if (part.type === "part") this.parts.push({ part, bytes: new Uint8Array(bytes) });
  }

  /** Answers a request for the samples with pictures of 1 x 2 pixels. */
  answerSamples(request = this.last("samples")): void {
    const values = Array.from({ length: 18 }, (_, i) => i);
    this.frame(request, {}, { rgb: [[3, 1, 2, 3], values] });
  }

  /** Answers a choice as the kernel does: the index first, then the picture. */
  answerChoice(chosen: PickerTraits["_chosen"], epoch: number): void {
    const request = this.last("choose");
    this.set("_chosen", chosen);
    this.set("_index", { ...indexOf(undefined, epoch), batch: 1 });
    const predictions = [{ index: 1, name: "dog", score: 3, probability: 0.9 }];
    const header = { kind: "input", params: { image: 0 }, epoch };
    const rgb: [number[], number[]] = [
      [1, 1, 3],
      [1, 2, 3],
    ];
    this.frame(request, { ...header, predictions, score_kind: "logit" }, { rgb });
  }

  /** Answers everything that is asked until nothing more is. */
  answerAll(): void {
    for (let seen = 0; seen < this.sent.length; seen++) {
      const request = this.sent[seen];
      if (request?.type === "hello") this.welcome();
      if (request?.kind === "input") this.answerInput(request);
      if (request?.kind === "samples") this.answerSamples(request);
    }
  }
}
