/** The traits a view shares with Python: their types, and writing them without flooding the kernel. */

import type { AnyModel } from "@anywidget/types";
import { type Clock, makeTimer } from "./clock";
import type { ScaleMode } from "./colormap";
import type { SortKey } from "./order";

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
  channel: number;
  image: number;
  scale_mode: ScaleMode;
  scale_low: number;
  scale_high: number;
  colormap: string;
  diverging: boolean;
  sort: SortKey;
  tile: number;
  show_input: boolean;
}

/** How layers are drawn; the reader sets these under "View". */
export const VIEW_TRAITS = [
  "scale_mode",
  "scale_low",
  "scale_high",
  "diverging",
  "colormap",
  "sort",
  "tile",
  "show_input",
] as const;

export type View = Readonly<Pick<BrowserTraits, (typeof VIEW_TRAITS)[number]>>;

export type BrowserModel = AnyModel<BrowserTraits>;

export interface TraitWriter {
  /** Whether a value of ours is on its way, which an older one from elsewhere must not undo. */
  isPending(name: keyof BrowserTraits): boolean;
  write(values: Partial<BrowserTraits>): void;
  /** Writes now what waits. */
  flush(): void;
}

const SAVE_EVERY_MS = 200;

/** Writes traits at most five times a second, the last value always. */
export function makeTraitWriter(model: BrowserModel, clock: Clock): TraitWriter {
  const timer = makeTimer(clock);
  let pending: Partial<BrowserTraits> = {};
  let savedAt = -Infinity;
  const flush = () => {
    timer.stop();
    const values = Object.entries(pending) as [keyof BrowserTraits, never][];
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
