/** Where a view gets its data: from the page if it is there, else from the kernel, ahead if idle. */

import { type Clock, makeTimer } from "./clock";
import { makeEpoch } from "./epoch";
import { estimateBytes, planRun, RUN_BYTES } from "./prefetch";
import { type FrameKey, keyText, makeStore, STORE_BYTES, type Store } from "./store";
import { makeReader, openStream, type Stream, type StreamState } from "./stream";
import type { LayerEntry } from "./traits";
import { type Failure, type Frame, must } from "./wire";

/** @typeParam T what a frame of kind "layer" holds, once it is read */
export interface SourceEvents<T> {
  send(content: unknown): void;
  /** Reads a frame of kind "layer". */
  read(frame: Frame): T;
  /** About the bytes of a layer's frame, for tiles of so many pixels; those of maps by default. */
  estimate?(layer: LayerEntry, tile: number): number;
  /** A layer has come that is wanted, or was on the way to the one that is. */
  onLayer(key: FrameKey, data: T): void;
  /** An answer to any other request. */
  onFrame(frame: Frame): void;
  /** What the kernel could not do, or what this page could not read (kind ""). */
  onFailure(failure: Pick<Failure, "kind" | "message" | "hint">): void;
  onState(state: StreamState): void;
  /** The network or its inputs changed; everything here is forgotten and must be asked for again. */
  onEpoch(): void;
}

type Side = FrameKey["side"];

export interface Source<T> {
  readonly stream: Stream;
  epoch(): number;
  /** Takes the layers in the order of the slider, for prefetching. */
  setLayers(layers: readonly LayerEntry[]): void;
  /** Follows the kernel's state; what belongs to an older one is forgotten. */
  adopt(epoch: number): void;
  /** The layer if it is in the page; asks the kernel for it if not. */
  want(key: FrameKey): T | null;
  receive(content: unknown, buffers: readonly DataView[]): void;
  close(): void;
}

const IDLE_MS = 100;
/** Share of the store that prefetching may fill; the rest is for pictures and sizes seen before. */
const PREFETCH_SHARE = 0.75;
/** How often a layer is prefetched in vain before it is left until it is needed. */
const MAX_TRIES = 2;

/** A layer goes before everything that decorates it. */
const SLOTS = ["layout", "layer", "layer:input", "input", "channel"];

const slotOf = (side: Side): string => (side === "output" ? "layer" : "layer:input");

export function openSource<T>(
  cid: string,
  events: SourceEvents<T>,
  clock: Clock,
  dpr: () => number,
  store: Store<T> = makeStore(STORE_BYTES),
): Source<T> {
  const wanted = new Map<Side, string>();
  const failures = new Map<string, number>();
  const idleTimer = makeTimer(clock);
  let layers: readonly LayerEntry[] = [];
  let shown: FrameKey | null = null;
  let run: readonly string[] = [];
  let touchedAt = -Infinity;
  let newest = 0;

  const forget = () => {
    store.clear();
    failures.clear();
    events.onEpoch();
  };

  const epoch = makeEpoch(forget);

  const prefetch = () => {
    if (!shown || !stream.isQuiet()) return;
    const key = shown;
    const { image, tile } = key;
    const sizes = layers.map(
      (layer) => events.estimate?.(layer, tile) ?? estimateBytes(layer.shape, layer.layout, tile),
    );
    const current = layers.findIndex(({ name }) => name === key.layer);
    const isDone = (place: number) => {
      const layer = layers[place]?.name ?? "";
      const tries = failures.get(layer) ?? 0;
      return tries >= MAX_TRIES || store.has(keyText({ ...key, epoch: epoch.now(), layer }));
    };
    const room = PREFETCH_SHARE * STORE_BYTES;
    const places = planRun(sizes, Math.max(0, current), isDone, room);
    const names = places.map((place) => layers[place]?.name ?? "");
    if (names.length > 0 && stream.prefetch({ layers: names, image, tile, bytes: RUN_BYTES })) {
      run = names;
    }
  };

  const planIdle = () => {
    if (idleTimer.runs()) return;
    const wait = touchedAt + IDLE_MS - clock.now();
    idleTimer.start(Math.max(0, wait), () => {
      if (clock.now() < touchedAt + IDLE_MS) planIdle();
      else prefetch();
    });
  };

  /** A run that sent something stopped at its byte budget; one that sent nothing failed. */
  const endRun = (sent: unknown) => {
    const [first = ""] = run;
    if (!Array.isArray(sent) || sent.length === 0) {
      failures.set(first, (failures.get(first) ?? 0) + 1);
    }
  };

  const receiveLayer = (frame: Frame) => {
    const { layer, image, tile, side } = frame.params;
    must(typeof layer === "string", `layer is ${layer}`);
    const key: FrameKey = {
      epoch: frame.epoch,
      side: side === "input" ? side : "output",
      layer,
      image: Number(image),
      tile: Number(tile),
    };
    const text = keyText(key);
    const data = events.read(frame);
    store.put(text, data, frame.bytes);
    const goal = wanted.get(key.side) ?? text;
    // It may come as the answer to an earlier request, while the later one waits.
    if (goal === text) stream.drop(slotOf(key.side));
    // On the way to a layer that is not here yet, every answer is shown: the picture follows the hand.
    const isOld = frame.seq < newest || frame.header.prefetch;
    if (goal !== text && (isOld || store.has(goal))) return;
    newest = frame.seq;
    if (key.side === "output") shown = key;
    events.onLayer(key, data);
  };

  const stream = openStream(
    cid,
    {
      send: events.send,
      onState: events.onState,
      onWelcome: epoch.adopt,
      onFrame(frame) {
        if (!epoch.admits(frame)) return;
        if (frame.kind === "layer") receiveLayer(frame);
        else if (frame.kind === "prefetch") endRun(frame.header.sent);
        // A layer is read in another way now: no frame of it is good any more.
        else if (frame.kind === "layout") forget();
        else events.onFrame(frame);
        planIdle();
      },
      onFailure(failure) {
        if (failure.kind !== "prefetch") events.onFailure(failure);
        else {
          endRun(null);
          planIdle();
        }
      },
    },
    clock,
    SLOTS,
    dpr,
  );

  return {
    stream,
    adopt: epoch.adopt,
    epoch: epoch.now,
    setLayers(list) {
      layers = list;
    },
    want(key) {
      touchedAt = clock.now();
      const { side, layer, image, tile } = key;
      const text = keyText(key);
      wanted.set(side, text);
      const data = store.get(text);
      if (!data) {
        const asked = { layer, image, tile };
        stream.ask("layer", side === "output" ? asked : { ...asked, side }, slotOf(side));
        return null;
      }
      // What was asked for on the way here is of no use before something else is.
      stream.drop(slotOf(side));
      if (side === "output") shown = key;
      planIdle();
      return data;
    },
    receive: makeReader(stream.receive, events.onFailure),
    close() {
      idleTimer.stop();
      stream.close();
      store.clear();
    },
  };
}
