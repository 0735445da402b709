/** Puts off what a reader does not miss while sliding: nothing of it runs before the next paint. */

import type { Clock } from "./stream";

/** Runs `later` in the task after the next paint. */
export type AfterPaint = (run: () => void) => () => void;

/** The browser's own paint; where a page is hidden or has none, a timer stands in. */
export function afterPaint(clock: Clock): AfterPaint {
  return (run) => {
    let timer: unknown = null;
    const frame = requestAnimationFrame(() => {
      timer = clock.setTimeout(run, 0);
    });
    return () => {
      cancelAnimationFrame(frame);
      clock.clearTimeout(timer);
    };
  };
}

const SOON_EVERY_MS = 100;
const REST_MS = 120;

/**
 * Coalesces follow-up work: `soon` runs after the paint, at most ten times a second; `rest` when
 * nothing has been touched for 120 ms.
 */
export class Settle {
  readonly #clock: Clock;
  readonly #after: AfterPaint;
  readonly #soon: () => void;
  readonly #rest: () => void;
  #dropPaint: (() => void) | null = null;
  #soonTimer: unknown = null;
  #restTimer: unknown = null;
  #ranAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, after: AfterPaint, soon: () => void, rest: () => void) {
    this.#clock = clock;
    this.#after = after;
    this.#soon = soon;
    this.#rest = rest;
  }

  touch(): void {
    this.#clock.clearTimeout(this.#restTimer);
    this.#restTimer = this.#clock.setTimeout(this.#rest, REST_MS);
    if (this.#dropPaint || this.#soonTimer !== null) return;
    const wait = this.#ranAt + SOON_EVERY_MS - this.#clock.now();
    if (wait <= 0) this.#arm();
    else {
      this.#soonTimer = this.#clock.setTimeout(() => {
        this.#soonTimer = null;
        this.#arm();
      }, wait);
    }
  }

  #arm(): void {
    this.#dropPaint = this.#after(() => {
      this.#dropPaint = null;
      this.#ranAt = this.#clock.now();
      this.#soon();
    });
  }

  close(): void {
    this.#dropPaint?.();
    this.#clock.clearTimeout(this.#soonTimer);
    this.#clock.clearTimeout(this.#restTimer);
  }
}
