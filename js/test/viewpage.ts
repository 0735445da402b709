/** The page of a view's tests: fake time, the views in it, what they painted, and its controls. */

import type { AnyModel, RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, vi } from "vitest";
import type { SharedTraits } from "../src/traits";
import { type Stub, stubPage } from "./page";

/** What a view says in the event "cnnviz:painted". */
type Painted = Record<string, unknown>;

export let page: Stub;
/** What was painted since the test began. */
export let painted: Painted[];
/** Ends of the views in the page. */
export let stops: (() => void)[];
/** Ends with the test. */
export let end: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  page = stubPage();
  painted = [];
  stops = [];
  document.body.replaceChildren();
  end = new AbortController();
  const note = (event: Event) => painted.push((event as CustomEvent<Painted>).detail);
  document.body.addEventListener("cnnviz:painted", note, end);
});

afterEach(() => {
  for (const stop of stops) stop();
  end.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Opens a view below those that are in the page. */
export function show<T extends SharedTraits>(
  widget: { render(props: RenderProps<T>): () => void },
  model: AnyModel<T>,
): void {
  const el = document.body.appendChild(document.createElement("div"));
  // Views ask for nothing else of what the host gives.
  stops.push(widget.render({ model, el } as unknown as RenderProps<T>));
}

/** The first element that fits. */
export function one<T extends HTMLElement = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

export const root = () => one(".cnnviz");
export const panels = () => [...document.querySelectorAll<HTMLElement>(".cnnviz-panel")];

export function control<T extends HTMLElement = HTMLInputElement>(
  name: string,
  within?: ParentNode,
): T {
  return one<T>(`[data-cnnviz-control="${name}"]`, within);
}

export function set(name: string, value: string | number, event = "input"): void {
  control(name).value = `${value}`;
  control(name).dispatchEvent(new Event(event, { bubbles: true }));
}

/** Presses keys one after the other; whether the last was taken. */
export function press(target: Element, ...keys: string[]): boolean {
  let isTaken = false;
  for (const key of keys) {
    const init = { key, bubbles: true, cancelable: true };
    isTaken = !target.dispatchEvent(new KeyboardEvent("keydown", init));
  }
  return isTaken;
}
