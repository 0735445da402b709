/** Fake anywidget models over a fake kernel: what is sent is kept, and answered when told to. */

import type { AnyModel } from "@anywidget/types";
import type { BrowserTraits } from "../src/layertraits";
import type { Index, LayerEntry, SharedTraits } from "../src/traits";
import { SPOKEN } from "./tables";

export interface Sent {
  type: string;
  cid: string;
  seq: number;
  kind: string;
  params: Record<string, unknown>;
}

export function layerEntry(name: string, place: number, shape = [2, 3, 4, 4]): LayerEntry {
  const [path = ""] = name.split("#");
  const [call, calls, index] = [1, 1, place];
  const numbers = { call, calls, index, params: 12, trainable: 12, macs: null };
  return { name, path, type: "Conv2d", shape, layout: "NCHW", leaf: place >= 0, ...numbers };
}

export const LAYERS = ["stem", "body.conv", "body.relu", "head"];

export function indexOf(names: readonly string[] = LAYERS, epoch = 1): Index {
  const layers = names.map((name, place) => layerEntry(name, place));
  const scores = { classes: null, class_count: 3, score_kind: "logit" } as const;
  return { inspector: "one", epoch, model: "Net", batch: 2, layers, notices: [], ...scores };
}

/** Types on the wire of the arrays that are not floats. */
const ARRAYS: Record<string, readonly [string, typeof Uint8Array | typeof Uint32Array]> = {
  codes: ["u1", Uint8Array],
  rgb: ["u1", Uint8Array],
  table: ["u4", Uint32Array],
};

/** The model of any widget. */
export class WidgetModel<T extends SharedTraits> {
  readonly sent: Sent[] = [];
  saves = 0;
  readonly #listeners = new Map<string, Set<(...args: unknown[]) => void>>();
  readonly #traits: T;

  constructor(traits: T) {
    this.#traits = traits;
  }

  get model(): AnyModel<T> {
    return this as unknown as AnyModel<T>;
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get<K extends keyof T>(name: K): T[K] {
    return this.#traits[name];
  }

  set<K extends keyof T & string>(name: K, value: T[K]): void {
    if (this.#traits[name] === value) return;
    this.#traits[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {
    this.saves += 1;
  }

  on(event: string, listener: (...args: unknown[]) => void): void {
    const known = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, known.add(listener));
  }

  off(event: string, listener: (...args: unknown[]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  send(content: unknown): void {
    this.sent.push(content as Sent);
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...args);
  }

  /** The last request, of a kind if one is given. */
  last(kind?: string): Sent | undefined {
    return this.sent.findLast(({ type, kind: k }) => type === "req" && (!kind || k === kind));
  }

  receive(content: Record<string, unknown>, buffer?: ArrayBuffer): void {
    this.#emit("msg:custom", content, buffer ? [new DataView(buffer)] : []);
  }

  /** Answers a request; arrays that `ARRAYS` does not name are floats. */
  frame(request: Sent | undefined, fields: object, arrays: Record<string, [number[], number[]]>) {
    if (!request) throw new Error("nothing was asked");
    const specs: object[] = [];
    const bytes: number[] = [];
    for (const [name, [shape, values]] of Object.entries(arrays)) {
      while (bytes.length % 8) bytes.push(0);
      const [dtype, type] = ARRAYS[name] ?? (["f4", Float32Array] as const);
      specs.push({ name, dtype, shape, offset: bytes.length });
      bytes.push(...new Uint8Array(type.from(values).buffer));
    }
    const { cid, seq, kind, params } = request;
    const header = { type: "frame", cid, seq, kind, params, epoch: 1, final: true, ms: 1 };
    this.receive({ ...header, arrays: specs, ...fields }, Uint8Array.from(bytes).buffer);
  }

  welcome(): void {
    this.receive({ type: "welcome", v: 1, cid: this.sent[0]?.cid, epoch: 1 });
  }

  answerInput(request = this.last("input")): void {
    const predictions = [
      { index: 3, name: "cat", score: 4.5, probability: 0.75 },
      { index: 1, name: "dog", score: 1.5, probability: 0.25 },
    ];
    const fields = { predictions, score_kind: "logit", notices: ["in training mode"] };
    this.frame(request, fields, {
      rgb: [
        [1, 2, 3],
        [255, 0, 0, 0, 0, 255],
      ],
    });
  }
}

/** The model of a LayerBrowser. */
export class FakeModel extends WidgetModel<BrowserTraits> {
  constructor(traits: Partial<BrowserTraits> = {}) {
    super({
      ...SPOKEN,
      _index: indexOf(),
      linked: true,
      layer: "stem",
      channel: 0,
      image: 0,
      scale_mode: "channel",
      scale_low: 0,
      scale_high: 1,
      colormap: "viridis",
      diverging: false,
      sort: "index",
      tile: 64,
      show_input: false,
      ...traits,
    });
  }

  /** Answers a request for a layer with three maps of 4 x 4 that differ from layer to layer. */
  answerLayer(request = this.last("layer"), fields: object = {}): void {
    const start = LAYERS.indexOf(String(request?.params.layer)) * 10;
    const codes = Array.from({ length: 48 }, (_, i) => start + i);
    this.frame(
      request,
      { kind_of: "maps", ...fields },
      {
        codes: [[3, 4, 4], codes],
        // low, high, mean and variance of the three channels
        statistics: [
          [4, 3],
          [...[0, 1, -1], ...[2, 1, 3], ...[1, 1, 0.5], ...[2, 0, 1]],
        ],
      },
    );
  }

  /** Answers everything that is asked until nothing more is. */
  answerAll(): void {
    for (let seen = 0; seen < this.sent.length; seen++) {
      const request = this.sent[seen];
      if (request?.type === "hello") this.welcome();
      if (request?.kind === "layer") this.answerLayer(request);
      if (request?.kind === "input") this.answerInput(request);
    }
  }
}
