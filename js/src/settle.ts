/** Puts off what a reader does not miss while sliding, so that it never delays a picture. */

import { type Clock, makeTimer } from "./clock";

export interface Settle {
  touch(): void;
  close(): void;
}

/** Long enough that it seldom meets the frame of a next step, short enough to seem at once. */
const SOON_MS = 100;
const SOON_AT_LAST_MS = 250;
const REST_MS = 150;

/**
 * Coalesces follow-up work: `soon` runs 100 ms after a step, or every 250 ms while the steps come
 * faster; `rest` when nothing has been touched for 150 ms.
 */
export function makeSettle(clock: Clock, soon: () => void, rest: () => void): Settle {
  const soonTimer = makeTimer(clock);
  const restTimer = makeTimer(clock);
  let since = 0;
  return {
    touch() {
      restTimer.start(REST_MS, rest);
      if (!soonTimer.runs()) since = clock.now();
      if (clock.now() - since < SOON_AT_LAST_MS) soonTimer.start(SOON_MS, soon);
    },
    close() {
      soonTimer.stop();
      restTimer.stop();
    },
  };
}
