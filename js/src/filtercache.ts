/** What the page has been told beside the layers: weights of filters, answers, pictures, likeness. */

import { type Bank, type FilterEntry, readLikeness } from "./filters";
import { makeStore } from "./store";
import type { Frame, Params } from "./wire";

export interface FilterCache {
  keep(frame: Frame): void;
  /** The kernel's answer to a request, if it is in the page. */
  known(kind: string, params: Params): Frame | null;
  /** Asks for what is not in the page. */
  ask(kind: string, params: Params, slot?: string): void;
  /** The weights of a filter, input by input, if they are in the page. */
  weights(layer: FilterEntry, filter: number): Float32Array | null;
  /** A bank with its likenesses, which may have come later. */
  complete(layer: FilterEntry, bank: Bank): Bank;
  clear(): void;
}

const BYTES = 32 << 20;

const keyOf = (kind: string, params: unknown) => kind + JSON.stringify(params);

/** @param send asks the kernel */
export function makeFilterCache(
  send: (kind: string, params: Params, slot?: string) => void,
): FilterCache {
  const frames = makeStore<Frame>(BYTES);
  const known = (kind: string, params: Params) => frames.get(keyOf(kind, params));
  return {
    known,
    clear: frames.clear,
    keep: (frame) => frames.put(keyOf(frame.kind, frame.params), frame, frame.bytes),
    ask(kind, params, slot) {
      if (!frames.has(keyOf(kind, params))) send(kind, params, slot);
    },
    weights({ name: layer }, filter) {
      const data = known("filter", { layer, filter })?.arrays.values?.data;
      return data instanceof Float32Array ? data : null;
    },
    complete: ({ name: layer }, bank) =>
      bank.likeness ? bank : { ...bank, likeness: readLikeness(known("likeness", { layer })) },
  };
}
