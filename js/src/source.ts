/** Where a view gets its data: from the page if it is there, else from the kernel, ahead if idle. */

import { type LayerData, readLayer } from "./maps";
import { estimateBytes, PrefetchPlan, RUN_BYTES } from "./prefetch";
import { type FrameKey, keyText, Store } from "./store";
import { type Clock, Stream, type StreamState } from "./stream";
import type { LayerEntry } from "./traits";
import { decode, type Failure, type Frame, WireError } from "./wire";

export interface SourceEvents {
  /** A layer that is wanted has come. */
  onLayer(key: FrameKey, data: LayerData): void;
  onInput(frame: Frame): void;
  onChannel(frame: Frame): void;
  /** What the kernel could not do, or what this page could not read (kind ""). */
  onFailure(failure: Pick<Failure, "kind" | "message" | "hint">): void;
  onState(state: StreamState): void;
  /** The network or its inputs changed; everything here is forgotten and must be asked for again. */
  onEpoch(): void;
}

type Side = FrameKey["side"];

const IDLE_MS = 100;
/** Share of the store that prefetching may fill; the rest is for pictures and sizes seen before. */
const PREFETCH_SHARE = 0.75;

export class Source {
  readonly stream: Stream;
  readonly store: Store<LayerData>;
  readonly #events: SourceEvents;
  readonly #clock: Clock;
  readonly #plan = new PrefetchPlan();
  readonly #wanted = new Map<Side, string>();
  #layers: readonly LayerEntry[] = [];
  #shown: FrameKey | null = null;
  #epoch = 0;
  #asked: readonly string[] = [];
  #touchedAt = Number.NEGATIVE_INFINITY;
  #idleTimer: unknown = null;
  #unreadable = "";

  constructor(
    cid: string,
    send: (content: unknown) => void,
    events: SourceEvents,
    clock: Clock,
    dpr: () => number,
    store = new Store<LayerData>(),
  ) {
    this.#events = events;
    this.#clock = clock;
    this.store = store;
    this.stream = new Stream(
      cid,
      {
        send,
        onFrame: (frame) => this.#receiveFrame(frame),
        onFailure: (failure) => this.#receiveFailure(failure),
        onWelcome: (epoch) => this.adopt(epoch),
        onState: (state) => events.onState(state),
      },
      clock,
      dpr,
    );
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Takes the layers in the order of the slider, for prefetching. */
  setLayers(layers: readonly LayerEntry[]): void {
    this.#layers = layers;
    this.#plan.forget();
  }

  /** Follows the kernel's state; what belongs to an older one is forgotten. */
  adopt(epoch: number): void {
    if (epoch <= this.#epoch) return;
    const isFirst = this.#epoch === 0;
    this.#epoch = epoch;
    this.store.clear();
    this.#plan.forget();
    if (!isFirst) this.#events.onEpoch();
  }

  /** The layer if it is in the page; asks the kernel for it if not. */
  want(key: FrameKey): LayerData | null {
    this.#touchedAt = this.#clock.now();
    const text = keyText(key);
    this.#wanted.set(key.side, text);
    const data = this.store.get(text);
    const slot = key.side === "output" ? "layer" : "layer:input";
    if (data) {
      // What was asked for on the way here is of no use before something else is.
      this.stream.drop(slot);
      if (key.side === "output") this.#shown = key;
      this.#planIdle();
      return data;
    }
    const { layer, image, tile, side } = key;
    const params = side === "output" ? { layer, image, tile } : { layer, image, tile, side };
    this.stream.ask("layer", params, slot);
    return null;
  }

  unwant(side: Side): void {
    this.#wanted.delete(side);
    this.stream.drop(side === "output" ? "layer" : "layer:input");
  }

  askInput(image: number): void {
    this.stream.ask("input", { image });
  }

  askChannel(layer: string, image: number, channel: number): void {
    this.stream.ask("channel", { layer, image, channel });
  }

  setLayout(layer: string, layout: string): void {
    this.stream.ask("layout", { layer, layout });
  }

  receive(content: unknown, buffers: readonly DataView[]): void {
    try {
      this.stream.receive(decode(content, buffers));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (this.#unreadable === error.message) return;
      this.#unreadable = error.message;
      this.#events.onFailure({ kind: "", message: error.message, hint: null });
    }
  }

  close(): void {
    this.#clock.clearTimeout(this.#idleTimer);
    this.stream.close();
    this.store.clear();
  }

  #receiveFrame(frame: Frame): void {
    this.adopt(frame.epoch);
    // An answer about a state that is gone; the newer state has been asked about already.
    if (frame.epoch < this.#epoch) return;
    if (frame.kind === "layer") this.#receiveLayer(frame);
    else if (frame.kind === "input") this.#events.onInput(frame);
    else if (frame.kind === "channel") this.#events.onChannel(frame);
    else if (frame.kind === "layout") this.#receiveLayout();
    else if (frame.kind === "prefetch") this.#plan.finished(this.#asked, sentOf(frame));
    this.#planIdle();
  }

  #receiveLayer(frame: Frame): void {
    const key = keyOf(frame);
    const text = keyText(key);
    const data = readLayer(frame);
    this.store.put(text, data, frame.bytes);
    if (this.#wanted.get(key.side) !== text) return;
    if (key.side === "output") this.#shown = key;
    this.#events.onLayer(key, data);
  }

  /** A layer is read in another way now: no frame of it is good any more. */
  #receiveLayout(): void {
    this.store.clear();
    this.#plan.forget();
    this.#events.onEpoch();
  }

  #receiveFailure(failure: Failure): void {
    if (failure.kind === "prefetch") {
      this.#plan.finished(this.#asked, []);
      this.#planIdle();
      return;
    }
    this.#events.onFailure(failure);
  }

  #planIdle(): void {
    if (this.#idleTimer !== null) return;
    const wait = Math.max(0, this.#touchedAt + IDLE_MS - this.#clock.now());
    this.#idleTimer = this.#clock.setTimeout(() => {
      this.#idleTimer = null;
      if (this.#clock.now() < this.#touchedAt + IDLE_MS) this.#planIdle();
      else this.#prefetch();
    }, wait);
  }

  #prefetch(): void {
    const shown = this.#shown;
    if (!shown || !this.stream.quiet) return;
    const current = this.#layers.findIndex(({ name }) => name === shown.layer);
    const { image, tile } = shown;
    const candidates = this.#layers.map(({ name, shape, layout }) => ({
      name,
      bytes: estimateBytes(shape, layout, tile),
    }));
    const has = (layer: string) =>
      this.store.has(keyText({ epoch: this.#epoch, side: "output", layer, image, tile }));
    const room = PREFETCH_SHARE * this.store.limitBytes;
    const layers = this.#plan.next(candidates, Math.max(0, current), has, room);
    if (layers.length === 0) return;
    if (this.stream.prefetch({ layers, image, tile, bytes: RUN_BYTES })) this.#asked = layers;
  }
}

function keyOf(frame: Frame): FrameKey {
  const { layer, image, tile, side } = frame.params;
  if (typeof layer !== "string" || typeof image !== "number" || typeof tile !== "number") {
    throw new WireError("params of a layer frame lack layer, image or tile");
  }
  return { epoch: frame.epoch, side: side === "input" ? "input" : "output", layer, image, tile };
}

function sentOf(frame: Frame): readonly string[] {
  const { sent } = frame.header;
  return Array.isArray(sent) ? sent.map(String) : [];
}
