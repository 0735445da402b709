/**
 * The request client: one request in flight, the newest waiting one replaces the older, and the
 * next goes out only when the answer has been drawn, so the request itself is the acknowledgement.
 */

import {
  cancel,
  type Failure,
  type Frame,
  hello,
  type Message,
  type Params,
  request,
} from "./wire";

/** Time and timers, in milliseconds; tests give their own. */
export interface Clock {
  now(): number;
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/**
 * What the reader may be told: `busy` after 300 ms, `waiting` after 2 s; `static` while there is
 * no sign of a kernel, which ends with its first message.
 */
export type StreamState = "idle" | "asking" | "busy" | "waiting" | "static";

export interface StreamEvents {
  send(content: unknown): void;
  /** `current` is false for an answer that a newer one of the same slot has overtaken. */
  onFrame(frame: Frame, current: boolean): void;
  onFailure(failure: Failure): void;
  onWelcome(epoch: number): void;
  onState(state: StreamState): void;
}

interface Ask {
  readonly slot: string;
  readonly kind: string;
  readonly params: Params;
  readonly text: string;
  readonly askedAt: number;
  seq: number;
  sentAt: number;
  delayMs: number;
}

const BUSY_MS = 300;
const WAITING_MS = 2_000;
const WELCOME_MS = 1_500;
const LOST_MS = 30_000;
const RESEND_MIN_MS = 700;
const RESEND_MAX_MS = 5_000;
const HELLO_TRIES = 5;
const PREFETCH = "prefetch";

/** Slots in the order in which they are served; a layer goes before everything that decorates it. */
const ORDER = ["layout", "layer", "layer:input", "input", "channel", PREFETCH];

function rank(slot: string): number {
  const place = ORDER.indexOf(slot);
  return place < 0 ? ORDER.length : place;
}

export class Stream {
  readonly #cid: string;
  readonly #dpr: () => number;
  readonly #events: StreamEvents;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Ask>();
  readonly #shown = new Map<string, number>();
  readonly #usualMs = new Map<string, number>();
  #inFlight: Ask | null = null;
  #seq = 0;
  #state: StreamState = "idle";
  #visible = true;
  #closed = false;
  #welcomed = false;
  #silent = false;
  #heardAt: number;
  #helloTries = 0;
  #resendTimer: unknown = null;
  #stateTimer: unknown = null;
  #helloTimer: unknown = null;

  constructor(cid: string, events: StreamEvents, clock: Clock, dpr: () => number = () => 1) {
    this.#cid = cid;
    this.#events = events;
    this.#clock = clock;
    this.#dpr = dpr;
    this.#heardAt = clock.now();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** True when nothing is in flight and nothing waits. */
  get quiet(): boolean {
    return this.#inFlight === null && this.#waiting.size === 0;
  }

  /** True once a kernel has answered, until it falls silent. */
  get live(): boolean {
    return this.#welcomed && !this.#silent;
  }

  /** Says hello; nothing waits for the answer. */
  start(): void {
    this.#hello(WELCOME_MS);
  }

  /** Asks in the foreground; a request of the same slot that still waits is replaced. */
  ask(kind: string, params: Params, slot: string = kind): void {
    if (this.#closed) return;
    const text = JSON.stringify(params);
    const current = this.#inFlight;
    if (current && current.slot === slot && current.text === text) {
      this.#waiting.delete(slot);
      return;
    }
    const askedAt = this.#clock.now();
    this.#waiting.set(slot, { slot, kind, params, text, askedAt, seq: 0, sentAt: 0, delayMs: 0 });
    if (current && rank(slot) < rank(current.slot)) this.#putBack(current);
    this.#pump();
  }

  /** Asks in the background if nothing else goes on; returns whether it did. */
  prefetch(params: Params): boolean {
    if (this.#closed || !this.quiet || !this.live || !this.#visible) return false;
    this.ask(PREFETCH, params);
    return true;
  }

  /** Takes back what waits in a slot; what is in flight is let come, for it may be of use later. */
  drop(slot: string): void {
    this.#waiting.delete(slot);
  }

  /** Takes back what waits or runs in a slot. */
  cancel(slot: string): void {
    this.#waiting.delete(slot);
    const current = this.#inFlight;
    if (current?.slot !== slot) return;
    this.#send(cancel(this.#cid, current.seq));
    this.#finish();
    this.#pump();
  }

  /** Takes a kernel message; those of other views are ignored. */
  receive(message: Message): void {
    if (this.#closed || message.cid !== this.#cid) return;
    this.#heard();
    if (message.type === "welcome") {
      this.#events.onWelcome(message.epoch);
    } else if (message.type === "err") {
      this.#receiveFailure(message);
    } else {
      this.#receiveFrame(message);
    }
    this.#pump();
    this.#updateState();
  }

  /** A hidden view asks for nothing; what it missed is asked for when it is seen again. */
  setVisible(visible: boolean): void {
    if (this.#closed || visible === this.#visible) return;
    this.#visible = visible;
    if (!visible) {
      this.#clear("resend");
    } else if (this.#inFlight) {
      this.#transmit(this.#inFlight);
    } else {
      this.#pump();
    }
  }

  /** Forgets everything asked; no timer is left and nothing is delivered any more. */
  close(): void {
    if (this.#inFlight) this.#send(cancel(this.#cid, this.#inFlight.seq));
    this.#closed = true;
    this.#inFlight = null;
    this.#waiting.clear();
    this.#clear("resend");
    this.#clear("state");
    this.#clear("hello");
  }

  #receiveFrame(frame: Frame): void {
    const current = this.#inFlight;
    const answers = current !== null && frame.seq === current.seq;
    const slot = answers ? current.slot : this.#requeued(frame.seq);
    const newest = this.#shown.get(slot ?? frame.kind) ?? -1;
    const isCurrent = frame.seq >= newest && (slot !== null || frame.seq >= this.#seq);
    if (isCurrent) this.#shown.set(slot ?? frame.kind, frame.seq);
    if (answers && frame.final) {
      this.#learn(current);
      // Delivered before the next request goes out: the request says that this one is drawn.
      this.#finish();
    } else if (answers) {
      this.#armResend(current);
    } else if (slot !== null && frame.final) {
      this.#waiting.delete(slot);
    }
    this.#events.onFrame(frame, isCurrent);
  }

  #receiveFailure(failure: Failure): void {
    const current = this.#inFlight;
    if (current && failure.seq === current.seq) {
      this.#finish();
    } else if (failure.seq >= 0) {
      const slot = this.#requeued(failure.seq);
      if (slot === null) return;
      this.#waiting.delete(slot);
    }
    this.#events.onFailure(failure);
  }

  /** The slot of a request that was put back after it had been sent as `seq`. */
  #requeued(seq: number): string | null {
    for (const ask of this.#waiting.values()) if (ask.seq === seq) return ask.slot;
    return null;
  }

  /** Makes way for a more urgent request; prefetching is planned anew, the rest is asked again. */
  #putBack(ask: Ask): void {
    this.#finish();
    if (ask.slot !== PREFETCH && !this.#waiting.has(ask.slot)) this.#waiting.set(ask.slot, ask);
  }

  #pump(): void {
    if (this.#closed || this.#inFlight || !this.#visible) return;
    let next: Ask | null = null;
    for (const ask of this.#waiting.values()) {
      if (!next || rank(ask.slot) < rank(next.slot)) next = ask;
    }
    if (!next) return;
    this.#waiting.delete(next.slot);
    this.#inFlight = next;
    this.#seq += 1;
    next.seq = this.#seq;
    next.sentAt = this.#clock.now();
    next.delayMs = Math.min(
      RESEND_MAX_MS,
      Math.max(RESEND_MIN_MS, 4 * (this.#usualMs.get(next.kind) ?? 0)),
    );
    this.#transmit(next);
    this.#updateState();
  }

  #transmit(ask: Ask): void {
    this.#send(request(this.#cid, ask.seq, ask.kind, ask.params));
    this.#armResend(ask);
  }

  #armResend(ask: Ask): void {
    this.#clear("resend");
    this.#resendTimer = this.#clock.setTimeout(() => {
      this.#resendTimer = null;
      if (!this.#visible || this.#inFlight !== ask) return;
      ask.delayMs = Math.min(RESEND_MAX_MS, ask.delayMs * 2);
      this.#transmit(ask);
    }, ask.delayMs);
  }

  #finish(): void {
    this.#inFlight = null;
    this.#clear("resend");
    this.#updateState();
  }

  #learn(ask: Ask): void {
    const tookMs = this.#clock.now() - ask.sentAt;
    const usual = this.#usualMs.get(ask.kind);
    this.#usualMs.set(ask.kind, usual === undefined ? tookMs : 0.75 * usual + 0.25 * tookMs);
  }

  #hello(delayMs: number): void {
    this.#helloTries += 1;
    this.#send(hello(this.#cid, this.#dpr(), this.#visible));
    this.#clear("hello");
    this.#helloTimer = this.#clock.setTimeout(() => {
      this.#helloTimer = null;
      this.#silent = true;
      this.#updateState();
      if (this.#helloTries < HELLO_TRIES) this.#hello(2 * delayMs);
    }, delayMs);
  }

  #heard(): void {
    this.#welcomed = true;
    this.#silent = false;
    this.#heardAt = this.#clock.now();
    this.#clear("hello");
  }

  #send(content: unknown): void {
    try {
      this.#events.send(content);
    } catch {
      // A comm without a kernel may throw; the request is sent again until it is answered.
    }
  }

  /** Works out the state and when it will next change by itself. */
  #updateState(): void {
    this.#clear("state");
    if (this.#closed) return;
    const now = this.#clock.now();
    const ask = this.#inFlight?.slot === PREFETCH ? null : this.#inFlight;
    const age = ask ? now - ask.askedAt : 0;
    const silence = now - Math.max(this.#heardAt, ask?.askedAt ?? now);
    if (ask && this.#welcomed && silence >= LOST_MS) this.#silent = true;
    let state: StreamState = "idle";
    if (this.#silent) state = "static";
    else if (ask) state = age >= WAITING_MS ? "waiting" : age >= BUSY_MS ? "busy" : "asking";
    if (ask && !this.#silent) {
      const next = [BUSY_MS - age, WAITING_MS - age, LOST_MS - silence].find((wait) => wait > 0);
      if (next !== undefined) {
        this.#stateTimer = this.#clock.setTimeout(() => {
          this.#stateTimer = null;
          this.#updateState();
        }, next);
      }
    }
    if (state === this.#state) return;
    this.#state = state;
    this.#events.onState(state);
  }

  #clear(timer: "resend" | "state" | "hello"): void {
    if (timer === "resend") {
      this.#clock.clearTimeout(this.#resendTimer);
      this.#resendTimer = null;
    } else if (timer === "state") {
      this.#clock.clearTimeout(this.#stateTimer);
      this.#stateTimer = null;
    } else {
      this.#clock.clearTimeout(this.#helloTimer);
      this.#helloTimer = null;
    }
  }
}
