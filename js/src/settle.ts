/** Puts off what a reader does not miss while sliding: nothing of it runs before the next paint. */

import { type Clock, makeTimer } from "./clock";

export interface Settle {
  touch(): void;
  close(): void;
}

/** Long enough after the frame for the next event to be drawn first. */
const AFTER_PAINT_MS = 25;
const SOON_EVERY_MS = 100;
const REST_MS = 120;

/**
 * Coalesces follow-up work: `soon` runs after the paint, at most ten times a second; `rest` when
 * nothing has been touched for 120 ms.
 */
export function makeSettle(clock: Clock, soon: () => void, rest: () => void): Settle {
  const soonTimer = makeTimer(clock);
  const restTimer = makeTimer(clock);
  let frame = 0;
  let ranAt = -Infinity;
  const afterPaint = () => {
    frame = requestAnimationFrame(() => {
      frame = 0;
      soonTimer.start(AFTER_PAINT_MS, () => {
        ranAt = clock.now();
        soon();
      });
    });
  };
  return {
    touch() {
      restTimer.start(REST_MS, rest);
      if (frame || soonTimer.runs()) return;
      const wait = ranAt + SOON_EVERY_MS - clock.now();
      if (wait <= 0) afterPaint();
      else soonTimer.start(wait, afterPaint);
    },
    close() {
      cancelAnimationFrame(frame);
      soonTimer.stop();
      restTimer.stop();
    },
  };
}
