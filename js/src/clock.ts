/** Time as the views see it, so that tests can let it pass as they like. */

/** Time and timers, in milliseconds. */
export interface Clock {
  now(): number;
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

export interface Timer {
  readonly runs: () => boolean;
  /** Starts anew; what was to run before does not. */
  start(delayMs: number, run: () => void): void;
  stop(): void;
}

export function makeTimer(clock: Clock): Timer {
  let id: unknown = null;
  const stop = () => {
    clock.clearTimeout(id);
    id = null;
  };
  return {
    runs: () => id !== null,
    stop,
    start(delayMs, run) {
      stop();
      id = clock.setTimeout(() => {
        id = null;
        run();
      }, delayMs);
    },
  };
}
