/** A clock that stands still until it is told to go on. */

import type { Clock } from "../src/clock";

export class FakeClock implements Clock {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<number, { at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, delayMs: number): number {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + Math.max(0, delayMs), run });
    return id;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(Number(timer));
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, running each timer when it is due. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end);
      due.sort(([a, x], [b, y]) => x.at - y.at || a - b);
      const first = due[0];
      if (!first) break;
      this.#timers.delete(first[0]);
      this.#now = Math.max(this.#now, first[1].at);
      first[1].run();
    }
    this.#now = end;
  }
}
