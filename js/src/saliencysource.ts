/** Where panels get their maps: from the page if they are there, else from the kernel, bit by bit. */

import type { Clock } from "./clock";
import { makeEpoch } from "./epoch";
import { type Answer, type Question, readAnswer } from "./saliencymap";
import { makeStore, type Store } from "./store";
import { makeReader, openStream, type Stream, type StreamState } from "./stream";
import type { Failure, Frame } from "./wire";

export interface SaliencyEvents {
  send(content: unknown): void;
  /** How far the method of a panel is, or its finished map; never for what it no longer wants. */
  onAnswer(panel: number, answer: Answer): void;
  /** An answer to any other request. */
  onFrame(frame: Frame): void;
  /** What the kernel could not do; `panel` is null where it was about something else. */
  onFailure(panel: number | null, failure: Pick<Failure, "kind" | "message" | "hint">): void;
  onState(state: StreamState): void;
  /** The network or its inputs changed; everything here is forgotten and must be asked for again. */
  onEpoch(): void;
}

export interface SaliencySource {
  readonly stream: Stream;
  /** Follows the kernel's state; what belongs to an older one is forgotten. */
  adopt(epoch: number): void;
  /** The finished map if it is in the page; asks the kernel for it if not, and stops what was asked before. */
  want(panel: number, question: Question): Answer | null;
  /** Wants nothing more for a panel, and stops its method in the kernel. */
  cancel(panel: number): void;
  receive(content: unknown, buffers: readonly DataView[]): void;
  close(): void;
}

/** Bound of the maps that one view keeps. */
const MAPS_BYTES = 32 << 20;

const slotOf = (panel: number): string => `panel:${panel}`;

/** The panel that a kind of request is about, or null. */
function panelOf(kind: string): number | null {
  const [name, place] = kind.split(":");
  return name === "panel" ? Number(place) : null;
}

/** A text that is the same for the same question, whatever the order of its fields. */
function textOf(question: Readonly<Record<string, unknown>>): string {
  const parameters = Object.entries(Object(question.parameters)).sort();
  const { method, target, image, layer } = question;
  return JSON.stringify([method, parameters, target, image, layer]);
}

export function openSaliencySource(
  cid: string,
  events: SaliencyEvents,
  clock: Clock,
  dpr: () => number,
  store: Store<Answer> = makeStore(MAPS_BYTES),
): SaliencySource {
  const wanted = new Map<number, string>();

  const cancel = (panel: number) => {
    wanted.delete(panel);
    stream.cancel(slotOf(panel));
  };

  const epoch = makeEpoch(() => {
    store.clear();
    for (const panel of [...wanted.keys()]) cancel(panel);
    events.onEpoch();
  });

  const receiveAnswer = (panel: number, frame: Frame) => {
    const text = textOf(frame.params);
    const answer = readAnswer(frame);
    if (frame.final) store.put(text, answer, frame.bytes);
    if (wanted.get(panel) === text) events.onAnswer(panel, answer);
  };

  const stream = openStream(
    cid,
    {
      send: events.send,
      onState: events.onState,
      onWelcome: epoch.adopt,
      onFrame(frame) {
        if (!epoch.admits(frame)) return;
        const panel = panelOf(frame.kind);
        if (panel === null) events.onFrame(frame);
        else receiveAnswer(panel, frame);
      },
      onFailure(failure) {
        const panel = panelOf(failure.kind);
        if (panel !== null) wanted.delete(panel);
        events.onFailure(panel, failure);
      },
    },
    clock,
    ["input"],
    dpr,
  );

  return {
    stream,
    adopt: epoch.adopt,
    cancel,
    want(panel, question) {
      const text = textOf({ ...question });
      const known = store.get(text);
      if (!known && wanted.get(panel) === text) return null;
      cancel(panel);
      wanted.set(panel, text);
      if (!known) stream.ask(slotOf(panel), { ...question });
      return known;
    },
    receive: makeReader(stream.receive, (failure) => events.onFailure(null, failure)),
    close() {
      stream.close();
      store.clear();
    },
  };
}
