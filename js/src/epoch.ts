/** Which state of the network the data in the page belongs to; what is older is forgotten. */

import type { Frame } from "./wire";

export interface Epoch {
  /** The newest state that was heard of. */
  now(): number;
  /** Follows the kernel's state. */
  adopt(newest: number): void;
  /** Follows a frame's state; false where it answers about one that is gone. */
  admits(frame: Pick<Frame, "epoch">): boolean;
}

/** @param forget what belongs to the state before; called once for each new one */
export function makeEpoch(forget: () => void): Epoch {
  let epoch = 0;
  const adopt = (newest: number) => {
    if (newest <= epoch) return;
    epoch = newest;
    forget();
  };
  return {
    now: () => epoch,
    adopt,
    admits(frame) {
      adopt(frame.epoch);
      // The newer state has been asked about already.
      return frame.epoch === epoch;
    },
  };
}
