/** Runs the widgets of an exported page, with no kernel, no network and no library. */

import { type BakedTraits, bakedModel, type Widget } from "../baked";
import { say, takeWords, told } from "../words";
import type { Memory } from "./expand";
import { pageModel } from "./model";
import { type Page, type PageWidget, readPage } from "./page";

type AnyWidget = Widget<BakedTraits>;

const loaded = new Map<number, Promise<AnyWidget>>();

/** Imports a module of the page, once. */
function load(page: Page, place: number): Promise<AnyWidget> {
  const known = loaded.get(place);
  if (known) return known;
  const file = new Blob([page.modules[place] ?? ""], { type: "text/javascript" });
  const url = URL.createObjectURL(file);
  const loading = import(url).then((module: { default: AnyWidget }) => module.default);
  loaded.set(place, loading);
  return loading;
}

/** Keeps controls disabled that need a kernel, those that come later too. */
function disable(el: HTMLElement, names: readonly string[]): void {
  if (names.length === 0) return;
  const title = say("needs_kernel");
  const selector = names.map((name) => `[data-cnnviz-control="${name}"]`).join();
  const apply = () => {
    for (const control of el.querySelectorAll<HTMLInputElement>(selector)) {
      if (!control.disabled) control.disabled = true;
      const label = control.closest("label") ?? control;
      if (label.title !== title) label.title = title;
    }
  };
  apply();
  new MutationObserver(apply).observe(el, { childList: true, subtree: true });
}

/** Says what the page itself says in the reader's language: of each text it carries all. */
function translate(): void {
  for (const el of document.querySelectorAll<HTMLElement>("[data-cnnviz-told]")) {
    el.textContent = told(JSON.parse(el.dataset.cnnvizTold ?? '""'));
    el.lang = say("language_tag");
  }
}

async function openAll(page: Page, memory: Memory): Promise<void> {
  takeWords(page.words, page.language);
  translate();
  const models = Object.fromEntries(
    Object.entries(page.widgets).map(([id, { state, answers }]) => [
      id,
      bakedModel(pageModel({ ...state, _words: page.words }), answers, memory.read),
    ]),
  );
  for (const text of page.styles) {
    const style = document.createElement("style");
    style.textContent = text;
    document.head.append(style);
  }
  const signal = new AbortController().signal;
  const open = async (el: HTMLElement, widget: PageWidget, id: string) => {
    const model = models[id];
    if (!model) return;
    const { render } = await load(page, widget.module);
    const props = { model, el, signal } as Parameters<AnyWidget["render"]>[0];
    el.replaceChildren();
    render(props);
    disable(el, widget.disabled);
  };
  for (const el of document.querySelectorAll<HTMLElement>("[data-cnnviz-model]")) {
    const id = el.dataset.cnnvizModel ?? "";
    const widget = page.widgets[id];
    if (!widget) continue;
    await open(el, widget, id).catch((error: unknown) => {
      el.textContent = say("cannot_open", { error: `${error}` });
    });
    // What is at the top is painted before what is below is made.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

async function main(): Promise<void> {
  const text = document.querySelector("script#cnnviz-data")?.textContent ?? "";
  try {
    await openAll(...(await readPage(text)));
  } catch (error) {
    for (const el of document.querySelectorAll("[data-cnnviz-model]")) {
      el.textContent = say("cannot_open", { error: `${error}` });
    }
  }
  document.documentElement.dataset.cnnvizReady = "";
}

void main();
