/** The pictures that go in: kept in the page, and asked for where they are not. */

import { makeStore } from "./store";
import type { Frame } from "./wire";

export interface Inputs {
  /** Shows a picture of the batch in this very task if it is in the page, else when it comes. */
  want(image: number): void;
  /** Takes a frame of kind "input"; others than the one wanted are kept for later. */
  take(frame: Frame): void;
  /** Forgets all, for the kernel has others. */
  clear(): void;
}

const INPUTS_BYTES = 16 << 20;

export function makeInputs(ask: (image: number) => void, show: (frame: Frame) => void): Inputs {
  const store = makeStore<Frame>(INPUTS_BYTES);
  let wanted = -1;
  return {
    want(image) {
      wanted = image;
      const known = store.get(`${image}`);
      if (known) show(known);
      else ask(image);
    },
    take(frame) {
      const { image } = frame.params;
      store.put(`${image}`, frame, frame.bytes);
      if (image === wanted) show(frame);
    },
    clear: store.clear,
  };
}
