/**
 * The request client: one request in flight, the newest waiting one replaces the older, and the
 * next goes out only when the answer has been drawn, so the request itself is the acknowledgement.
 * Of a slide one more may follow the first before that, so that the last never waits for a whole
 * answer to another.
 */

import { type Clock, makeTimer } from "./clock";
import {
  decode,
  type Failure,
  type Frame,
  type Message,
  type Params,
  WIRE_VERSION,
  WireError,
} from "./wire";

/**
 * What the reader may be told: `busy` after 300 ms, `waiting` after 2 s without a word of the
 * kernel; `static` while there is no sign of one, which ends with its first message; `stored` where
 * the page itself answers.
 */
export type StreamState = "idle" | "asking" | "busy" | "waiting" | "static" | "stored";

export interface StreamEvents {
  send(content: unknown): void;
  /** Every answer, late ones and duplicates too: a frame says itself what it shows. */
  onFrame(frame: Frame): void;
  onFailure(failure: Failure): void;
  onWelcome(epoch: number): void;
  onState(state: StreamState): void;
}

export interface Stream {
  /** True when nothing is in flight and nothing waits. */
  isQuiet(): boolean;
  /** Says hello; nothing waits for the answer. */
  start(): void;
  /** Asks in the foreground; a request of the same slot that still waits is replaced. */
  ask(kind: string, params: Params, slot?: string): void;
  /** Asks in the background if nothing else goes on and a kernel is there; returns whether it did. */
  prefetch(params: Params, kind?: string): boolean;
  /** Takes back what waits in a slot; what is in flight is let come, for it may be of use later. */
  drop(slot: string): void;
  /** Takes back all of a slot: what is in flight is stopped in the kernel, and the next goes out. */
  cancel(slot: string): void;
  /** Takes a kernel message; those of other views are ignored. */
  receive(message: Message): void;
  /** A hidden view asks for nothing; what it missed is asked for when it is seen again. */
  setVisible(visible: boolean): void;
  /** Forgets everything asked; no timer is left and nothing is delivered any more. */
  close(): void;
}

interface Ask {
  readonly slot: string;
  readonly kind: string;
  readonly params: Params;
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
/**
 * Share of the usual time after which the newest of a slide follows the request in flight. Sooner,
 * there would be so many more answers that each took longer, the last one too.
 */
const FOLLOW_SHARE = 2 / 3;
const PREFETCH = "prefetch";
/** What a slide asks for. The kernel stops any longer computation where a newer request follows it. */
const SLIDE = "layer";

/**
 * @param slots in the order in which they are served; those that are not named come after them, and
 *   what is asked in the background comes last
 */
export function openStream(
  cid: string,
  events: StreamEvents,
  clock: Clock,
  slots: readonly string[],
  dpr: () => number = () => 1,
): Stream {
  const order = [...slots].reverse();
  const rank = ({ slot }: Ask): number => (slot === PREFETCH ? 2 : -order.indexOf(slot));
  const waiting = new Map<string, Ask>();
  const usualMs = new Map<string, number>();
  const resendTimer = makeTimer(clock);
  const stateTimer = makeTimer(clock);
  const helloTimer = makeTimer(clock);
  const followTimer = makeTimer(clock);
  let inFlight: Ask | null = null;
  /** What was in flight when a newer request of its slot followed it; the two are all there is. */
  let older: Ask | null = null;
  let lastSeq = 0;
  let state: StreamState = "idle";
  let isVisible = true;
  let isClosed = false;
  let isWelcome = false;
  let isSilent = false;
  let isStored = false;
  let heardAt = clock.now();
  let helloTries = 0;

  const send = (content: unknown): void => {
    try {
      events.send(content);
    } catch {
      // A comm without a kernel may throw; the request is sent again until it is answered.
    }
  };

  const sayHello = (delayMs: number): void => {
    helloTries += 1;
    send({ type: "hello", v: WIRE_VERSION, cid, dpr: dpr(), visible: isVisible });
    helloTimer.start(delayMs, () => {
      isSilent = true;
      updateState();
      if (helloTries < HELLO_TRIES) sayHello(2 * delayMs);
    });
  };

  /** Works out the state and when it will next change by itself. */
  const updateState = (): void => {
    stateTimer.stop();
    if (isClosed) return;
    const now = clock.now();
    const ask = inFlight?.slot === PREFETCH ? null : inFlight;
    const age = ask ? now - ask.askedAt : 0;
    const silence = ask ? now - Math.max(heardAt, ask.askedAt) : 0;
    if (isWelcome && silence >= LOST_MS) isSilent = true;
    let next: StreamState = "idle";
    if (isSilent) next = "static";
    else if (isStored) next = "stored";
    else if (ask) {
      next = silence >= WAITING_MS ? "waiting" : age >= BUSY_MS ? "busy" : "asking";
      const waits = [BUSY_MS - age, WAITING_MS - silence, LOST_MS - silence];
      stateTimer.start(waits.find((wait) => wait > 0) ?? LOST_MS, updateState);
    }
    if (next === state) return;
    state = next;
    events.onState(next);
  };

  const armResend = (ask: Ask): void =>
    resendTimer.start(ask.delayMs, () => {
      if (!isVisible) return;
      ask.delayMs = Math.min(RESEND_MAX_MS, ask.delayMs * 2);
      transmit(ask);
    });

  const transmit = (ask: Ask): void => {
    const { seq, kind, params } = ask;
    send({ type: "req", cid, seq, kind, params });
    armResend(ask);
  };

  const finish = (): void => {
    inFlight = null;
    older = null;
    resendTimer.stop();
    updateState();
  };

  /** Sends the most urgent of the waiting requests, if it is its turn. */
  const pump = (): void => {
    if (isClosed || !isVisible) return;
    const [next] = [...waiting.values()].sort((a, b) => rank(a) - rank(b));
    if (!next) return;
    const usual = usualMs.get(next.kind) ?? 0;
    if (inFlight) {
      const isSlide = next.kind === SLIDE && next.slot === inFlight.slot;
      if (older || !isSlide || !usual) return;
      const tooSoonMs = inFlight.sentAt + FOLLOW_SHARE * usual - clock.now();
      // No event may come after this one. A timer may be early by a part of a millisecond.
      if (tooSoonMs > 1) {
        followTimer.start(tooSoonMs, pump);
        return;
      }
      older = inFlight;
    }
    waiting.delete(next.slot);
    inFlight = next;
    lastSeq += 1;
    next.seq = lastSeq;
    next.sentAt = clock.now();
    next.delayMs = Math.min(RESEND_MAX_MS, Math.max(RESEND_MIN_MS, 4 * usual));
    transmit(next);
    updateState();
  };

  const learn = ({ kind, sentAt }: Ask): void => {
    const tookMs = clock.now() - sentAt;
    usualMs.set(kind, (3 * (usualMs.get(kind) ?? tookMs) + tookMs) / 4);
  };

  /** The slot of a request that made way for another after it had been sent as `seq`. */
  const slotOf = (seq: number): string | undefined =>
    [...waiting.values()].find((ask) => ask.seq === seq)?.slot;

  const receiveFrame = (frame: Frame): void => {
    const answered = inFlight?.seq === frame.seq ? inFlight : null;
    const slot = answered?.slot ?? slotOf(frame.seq);
    if (!frame.final) {
      if (answered) armResend(answered);
    } else if (older?.seq === frame.seq) {
      learn(older);
      older = null;
    } else if (answered) {
      learn(answered);
      finish();
    } else if (slot) waiting.delete(slot);
    // The next request goes out after this: it says that this frame has been drawn.
    events.onFrame(frame);
  };

  const receiveFailure = (failure: Failure): void => {
    const slot = slotOf(failure.seq);
    if (inFlight?.seq === failure.seq) finish();
    else if (slot) waiting.delete(slot);
    else if (failure.seq >= 0) return;
    events.onFailure(failure);
  };

  const ask = (kind: string, params: Params, slot = kind): void => {
    if (isClosed) return;
    const before = inFlight;
    if (before?.slot === slot && JSON.stringify(before.params) === JSON.stringify(params)) {
      waiting.delete(slot);
      return;
    }
    const made = { slot, kind, params, askedAt: clock.now(), seq: 0, sentAt: 0, delayMs: 0 };
    waiting.set(slot, made);
    if (before && rank(made) < rank(before)) {
      // Prefetching is planned anew later; anything else that makes way is asked again.
      finish();
      if (before.slot !== PREFETCH && !waiting.has(before.slot)) waiting.set(before.slot, before);
    }
    pump();
  };

  const isQuiet = (): boolean => !inFlight && waiting.size === 0;

  return {
    isQuiet,
    ask,
    start: () => sayHello(WELCOME_MS),
    prefetch(params, kind = PREFETCH) {
      const isLive = isWelcome && !isSilent && !isStored;
      const isFree = isQuiet() && isLive && isVisible && !isClosed;
      if (isFree) ask(kind, params, PREFETCH);
      return isFree;
    },
    drop: (slot) => void waiting.delete(slot),
    cancel(slot) {
      waiting.delete(slot);
      if (inFlight?.slot !== slot) return;
      send({ type: "cancel", cid, seq: inFlight.seq });
      finish();
      pump();
    },
    receive(message) {
      if (isClosed || message.cid !== cid) return;
      isWelcome = true;
      isSilent = false;
      heardAt = clock.now();
      helloTimer.stop();
      if (message.type === "welcome") {
        isStored = !!message.stored;
        events.onWelcome(message.epoch);
      } else if (message.type === "err") receiveFailure(message);
      else receiveFrame(message);
      pump();
      updateState();
    },
    setVisible(visible) {
      if (isClosed || visible === isVisible) return;
      isVisible = visible;
      if (!visible) resendTimer.stop();
      else if (inFlight) transmit(inFlight);
      else pump();
    },
    close() {
      if (inFlight) send({ type: "cancel", cid, seq: inFlight.seq });
      isClosed = true;
      inFlight = null;
      waiting.clear();
      for (const timer of [resendTimer, stateTimer, helloTimer, followTimer]) timer.stop();
    },
  };
}

/**
 * Reads what the kernel sends; what this page cannot read is told once, as a failure of kind "".
 *
 * @param receive takes the messages that can be read
 */
export function makeReader(
  receive: (message: Message) => void,
  onUnreadable: (failure: Pick<Failure, "kind" | "message" | "hint">) => void,
): (content: unknown, buffers: readonly DataView[]) => void {
  let told = "";
  return (content, buffers) => {
    try {
      receive(decode(content, buffers));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (told === error.message) return;
      told = error.message;
      onUnreadable({ kind: "", message: told, hint: null });
    }
  };
}
