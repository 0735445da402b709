/** The traits a view shares with Python: their types, and writing them without flooding the kernel. */

import type { AnyModel } from "@anywidget/types";
import type { ScaleMode } from "./colormap";
import type { Clock } from "./stream";

/** One module call of the network, a layer or a container. */
export interface LayerEntry {
  readonly name: string;
  readonly path: string;
  readonly call: number;
  readonly calls: number;
  readonly type: string;
  readonly shape: readonly number[];
  readonly layout: string;
  readonly params: number;
  readonly trainable: number;
  readonly macs: number | null;
  readonly leaf: boolean;
  /** Place in execution order; -1 for a container. */
  readonly index: number;
}

export interface Index {
  readonly epoch: number;
  readonly model: string;
  readonly batch: number;
  readonly layers: readonly LayerEntry[];
  readonly classes: readonly string[] | null;
  readonly notices: readonly string[];
  readonly error?: { readonly message: string; readonly hint: string | null } | null;
}

export interface BrowserTraits {
  _index: Index;
  layer: string;
  channel: number | null;
  image: number;
  scale_mode: ScaleMode;
  scale_low: number | null;
  scale_high: number | null;
  colormap: string;
  diverging: boolean;
  sort: string;
  tile: number | null;
  show_input: boolean;
}

export type BrowserModel = AnyModel<BrowserTraits>;

const SAVE_EVERY_MS = 200;

/** Writes traits at most five times a second, the last value always. */
export class TraitWriter {
  readonly #model: BrowserModel;
  readonly #clock: Clock;
  readonly #pending = new Map<keyof BrowserTraits, () => void>();
  #timer: unknown = null;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(model: BrowserModel, clock: Clock) {
    this.#model = model;
    this.#clock = clock;
  }

  /** Whether a value of ours is on its way, which an older one from elsewhere must not undo. */
  isPending(name: keyof BrowserTraits): boolean {
    return this.#pending.has(name);
  }

  write<K extends keyof BrowserTraits>(name: K, value: BrowserTraits[K]): void {
    this.#pending.set(name, () => this.#model.set(name, value));
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#savedAt + SAVE_EVERY_MS - this.#clock.now());
    this.#timer = this.#clock.setTimeout(() => this.flush(), wait);
  }

  /** Writes now what waits. */
  flush(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pending.size === 0) return;
    this.#savedAt = this.#clock.now();
    for (const set of this.#pending.values()) set();
    this.#pending.clear();
    this.#model.save_changes();
  }
}
