/** The traits a view shares with Python: their types, and writing them without flooding the kernel. */

import type { AnyModel } from "@anywidget/types";
import { type Clock, makeTimer } from "./clock";
import type { WordTables } from "./words";

/** What the numbers are that a network gives for its classes. */
export type ScoreKind = "logit" | "probability" | "log-probability";

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
  /** Names the Inspector: views of one follow each other. */
  readonly inspector: string;
  readonly epoch: number;
  readonly model: string;
  readonly batch: number;
  readonly layers: readonly LayerEntry[];
  readonly classes: readonly string[] | null;
  /** How many classes there are, named or not; null where there are no class scores. */
  readonly class_count: number | null;
  readonly score_kind: ScoreKind;
  readonly notices: readonly string[];
  readonly error?: { readonly message: string; readonly hint: string | null } | null;
}

/** What a widget brings along to be said; see words.ts. */
export interface SpokenTraits {
  readonly _words: WordTables;
  /** The language that Python has set, or "" for that of the browser. */
  readonly _language: string;
}

/** The traits that every widget of an Inspector has. */
export interface SharedTraits extends SpokenTraits {
  _index: Index;
  /** Whether the view follows the others of its Inspector, and they follow it. */
  linked: boolean;
}

export interface TraitWriter<T> {
  /** Whether a value of ours is on its way, which an older one from elsewhere must not undo. */
  isPending(name: keyof T): boolean;
  write(values: Partial<T>): void;
  /** Writes now what waits. */
  flush(): void;
}

const SAVE_EVERY_MS = 200;

/** Writes traits at most five times a second, the last value always. */
export function makeTraitWriter<T extends object>(
  model: AnyModel<T>,
  clock: Clock,
): TraitWriter<T> {
  const timer = makeTimer(clock);
  let pending: Partial<T> = {};
  let savedAt = -Infinity;
  const flush = () => {
    timer.stop();
    const values = Object.entries(pending) as [keyof T & string, never][];
    if (values.length === 0) return;
    savedAt = clock.now();
    for (const [name, value] of values) model.set(name, value);
    pending = {};
    model.save_changes();
  };
  return {
    flush,
    isPending: (name) => name in pending,
    write(values) {
      pending = { ...pending, ...values };
      if (!timer.runs()) timer.start(Math.max(0, savedAt + SAVE_EVERY_MS - clock.now()), flush);
    },
  };
}
