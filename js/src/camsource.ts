/** Where the CamSlider gets its maps: from the page, else from the kernel, ahead where that is idle. */

import { type CamMap, type CamScore, readExact, readMaps, readScores } from "./cammaps";
import { type Clock, makeTimer } from "./clock";
import { makeEpoch } from "./epoch";
import { makeStore } from "./store";
import { makeReader, openStream, type Stream, type StreamState } from "./stream";
import type { Failure, Frame } from "./wire";

/** Maps of one layer: of a method, a picture, and some classes. */
export interface CamQuery {
  readonly method: string;
  readonly image: number;
  readonly layer: string;
  readonly targets: readonly number[];
  /** Whether the method is too costly for all layers at once. */
  readonly isSlow: boolean;
}

export interface CamEvents {
  send(content: unknown): void;
  /** Maps or scores have come; some may be those that are wanted. */
  onMaps(): void;
  /** How far a method is that takes its time; both are 0 when it has ended. */
  onProgress(done: number, total: number): void;
  onFrame(frame: Frame): void;
  onFailure(failure: Pick<Failure, "kind" | "message" | "hint">): void;
  onState(state: StreamState): void;
  /** The network or its inputs changed; everything here is forgotten and must be asked for again. */
  onEpoch(): void;
}

export interface CamSource {
  readonly stream: Stream;
  adopt(epoch: number): void;
  /** Takes the classes worth having ahead, the likeliest first, and the methods that there are. */
  plan(classes: readonly number[], methods: readonly string[]): void;
  /** The maps, null for each that is not in the page; nothing is asked for. */
  find(query: CamQuery): (CamMap | null)[];
  score(image: number, target: number): CamScore | null;
  /** Asks the kernel for those that are not in the page. */
  want(query: CamQuery): void;
  /** Asks for the exact values, or for maps that are computed for one layer at a time. */
  wantExact(query: CamQuery): void;
  /** Stops what runs for a layer that nobody looks at any more. */
  leave(): void;
  receive(content: unknown, buffers: readonly DataView[]): void;
  close(): void;
}

/** Bound of the maps that one view keeps. */
const MAPS_BYTES = 64 << 20;
/** Share of the store that is filled ahead. */
const AHEAD_SHARE = 0.75;
/** Classes asked for at once while nobody waits. */
const AHEAD_CLASSES = 3;
/** Methods fetched ahead, when all likely classes of the present one are in the page. */
const METHODS_AHEAD = ["gradcam", "gradcam++", "hirescam", "layercam", "xgradcam"];
/** How often a sweep is asked for ahead in vain before it is left until it is needed. */
const MAX_TRIES = 2;
const IDLE_MS = 100;
const SLOTS = ["sweep", "map", "input"];

export function openCamSource(
  cid: string,
  events: CamEvents,
  clock: Clock,
  dpr: () => number,
): CamSource {
  const maps = makeStore<CamMap>(MAPS_BYTES);
  const scores = new Map<string, CamScore>();
  /** Sweeps that have been answered: what they did not bring is asked for singly. */
  const swept = new Set<string>();
  const tries = new Map<string, number>();
  const idleTimer = makeTimer(clock);
  let ahead: readonly number[] = [];
  let aheadMethods: readonly string[] = [];
  let shown: CamQuery | null = null;
  let asked: readonly string[] = [];

  const keyOf = (method: string, image: number, layer: string, target: number) =>
    `${image} ${target} ${method} ${layer}`;
  const sweepOf = (method: string, image: number, target: number) => `${image} ${target} ${method}`;

  const epoch = makeEpoch(() => {
    maps.clear();
    scores.clear();
    swept.clear();
    tries.clear();
    events.onEpoch();
  });

  const find = ({ method, image, layer, targets }: CamQuery) =>
    targets.map((target) => maps.get(keyOf(method, image, layer, target)));

  const missing = (query: CamQuery): number[] => {
    const found = find(query);
    return [...new Set(query.targets.filter((_, n) => !found[n]))];
  };

  const want = (query: CamQuery) => {
    shown = query;
    const { method, image, layer, isSlow } = query;
    const classes = missing(query);
    if (classes.length === 0 || isSlow) return planIdle();
    const open = classes.filter((target) => !swept.has(sweepOf(method, image, target)));
    if (open.length === 0) return wantExact(query);
    // While a sweep is under way its maps come by themselves, in whatever layer the slider is.
    const names = open.map((target) => sweepOf(method, image, target));
    if (names.every((name) => asked.includes(name)) && !stream.isQuiet()) return;
    asked = names;
    stream.ask("sweep", { method, image, classes: open, first: layer });
  };

  const isExact = (map: CamMap | null | undefined) => map?.exact && map.isFinal;

  const wantExact = (query: CamQuery) => {
    shown = query;
    const { method, image, layer } = query;
    const found = find(query);
    const classes = [...new Set(query.targets.filter((_, n) => !isExact(found[n])))];
    if (classes.length > 0) stream.ask("map", { method, image, layer, classes });
  };

  /** Asks for likely classes, and then for other methods, while nobody waits for anything. */
  const lookAhead = () => {
    if (!shown || !stream.isQuiet() || maps.bytes() > AHEAD_SHARE * MAPS_BYTES) return;
    const { method, image, targets, isSlow } = shown;
    const open = (name: string, list: readonly number[]) =>
      list.filter((target) => {
        const sweep = sweepOf(name, image, target);
        return !swept.has(sweep) && (tries.get(sweep) ?? 0) < MAX_TRIES;
      });
    const classes = isSlow ? [] : open(method, ahead).slice(0, AHEAD_CLASSES);
    const others = aheadMethods.filter((name) => open(name, targets).length > 0);
    if (classes.length > 0) askAhead([method], image, classes);
    else if (others.length > 0) askAhead(others, image, targets);
  };

  const askAhead = (names: readonly string[], image: number, classes: readonly number[]) => {
    if (!stream.prefetch({ methods: names, image, classes }, "ahead")) return;
    for (const name of names) {
      for (const target of classes) {
        const sweep = sweepOf(name, image, target);
        tries.set(sweep, (tries.get(sweep) ?? 0) + 1);
      }
    }
  };

  const planIdle = () => {
    if (!idleTimer.runs()) idleTimer.start(IDLE_MS, lookAhead);
  };

  const keep = (frame: Frame, list: readonly CamMap[]) => {
    const { method, image } = frame.params;
    for (const map of list) {
      const bytes = map.exact?.byteLength ?? map.codes.byteLength;
      maps.put(keyOf(`${method}`, Number(image), map.layer, map.target), map, bytes);
    }
  };

  const receiveFrame = (frame: Frame) => {
    if (!epoch.admits(frame)) return;
    const { kind, final, params, header } = frame;
    if (kind === "maps") keep(frame, readMaps(frame));
    if (kind === "map") keep(frame, readExact(frame));
    const { method, methods, image } = params;
    for (const score of readScores(frame)) {
      scores.set(`${image} ${score.index}`, score);
      if (kind === "map") continue;
      for (const name of (methods ?? [method]) as readonly string[]) {
        swept.add(sweepOf(name, Number(image), score.index));
      }
    }
    if (final && kind === "sweep") asked = [];
    if (final && kind !== "input") events.onProgress(0, 0);
    else if (header.total) events.onProgress(Number(header.done), Number(header.total));
    if (kind === "input") events.onFrame(frame);
    else events.onMaps();
    planIdle();
  };

  const stream = openStream(
    cid,
    {
      send: events.send,
      onState: events.onState,
      onWelcome: epoch.adopt,
      onFrame: receiveFrame,
      onFailure(failure) {
        if (failure.kind === "ahead") return planIdle();
        asked = [];
        events.onProgress(0, 0);
        events.onFailure(failure);
      },
    },
    clock,
    SLOTS,
    dpr,
  );

  return {
    stream,
    adopt: epoch.adopt,
    find,
    want,
    wantExact,
    score: (image, target) => scores.get(`${image} ${target}`) ?? null,
    plan(classes, methods) {
      ahead = classes;
      aheadMethods = METHODS_AHEAD.filter((name) => methods.includes(name));
      planIdle();
    },
    leave: () => stream.cancel("map"),
    receive: makeReader(stream.receive, events.onFailure),
    close() {
      idleTimer.stop();
      stream.close();
      maps.clear();
    },
  };
}
