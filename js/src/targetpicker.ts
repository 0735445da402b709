/** The choice of a class: a slider over the likeliest, and a search by name among all of them. */

import { inputControl } from "./controls";
import { h, type On, onKeys, setAttributes, setText, show } from "./dom";
import { formatProbability } from "./format";
import type { Index } from "./traits";
import { say } from "./words";

/** A class that the network finds likely, as a frame of kind "input" lists it. */
export interface Prediction {
  readonly index: number;
  readonly name: string;
  readonly probability: number | null;
}

export interface TargetPicker {
  readonly box: HTMLElement;
  /** Takes the classes of the network, and the likeliest for the picture, best first. */
  setClasses(index: Index, ranked: readonly Prediction[]): void;
  /** Shows which class is chosen. */
  choose(target: number): void;
  /** The classes that the slider goes through. */
  listed(): readonly number[];
}

const MAX_FOUND = 8;

/** Which of the likeliest classes one is, the first being 1; 0 is none of them. */
export function rankText(place: number, count: number): string {
  if (!place) return "";
  return count > 1 ? say("likely", { place, count }) : say("only_class");
}

/** What a class is called; its number where it has no name. */
export function className({ classes }: Index, target: number): string {
  return classes?.[target] ?? `${target}`;
}

/** Classes whose name or number matches, those first in whose name a word begins so. */
export function findClasses(index: Index, query: string, most: number): number[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const begun: number[] = [];
  const inside: number[] = [];
  for (let target = 0; target < (index.class_count ?? 0); target++) {
    const name = className(index, target).toLowerCase();
    const at = name.indexOf(wanted);
    const isWord = at === 0 || /\W/.test(name[at - 1] ?? "");
    if (`${target}` === wanted || (at >= 0 && isWord)) begun.push(target);
    else if (at >= 0) inside.push(target);
  }
  return [...begun, ...inside].slice(0, most);
}

/** Lets the reader choose a class by a click among the predictions; the slider serves the keyboard. */
export function pickPredictions(
  on: On,
  predictions: HTMLElement,
  onChoose: (target: number) => void,
): void {
  setAttributes(predictions, { "data-pick": true });
  on(predictions, "click", ({ target }) => {
    const row = (target as Element).closest("[data-target]");
    if (row) onChoose(Number(row.getAttribute("data-target")));
  });
}

let lists = 0;

/** @param onChoose takes the class that the reader picks */
export function makeTargetPicker(on: On, onChoose: (target: number) => void): TargetPicker {
  lists += 1;
  const id = `cnnviz-classes-${lists}-${Math.random().toString(36).slice(2)}`;
  let index: Index | null = null;
  let likely = new Map<number, Prediction>();
  let slots: number[] = [];
  let found: number[] = [];
  let active = 0;

  const pick = (target: number | undefined) => {
    if (target === undefined) return;
    select(target);
    onChoose(target);
  };
  const slider = inputControl("range", "target", say("target"), on, ({ valueAsNumber }) =>
    pick(slots[valueAsNumber]),
  );
  const search = h("input", {
    type: "search",
    placeholder: say("find_class"),
    "aria-label": say("find_class"),
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": id,
    "aria-expanded": "false",
  });
  const list = h("ul.found", { id, role: "listbox", "aria-label": say("targets"), hidden: true });
  const none = h("p.quiet", { role: "status" });

  const select = (target: number) => {
    if (!index) return;
    if (!slots.includes(target)) slots.push(target);
    slider.input.max = `${slots.length - 1}`;
    slider.input.value = `${slots.indexOf(target)}`;
    const name = className(index, target);
    const place = [...likely.keys()].indexOf(target) + 1;
    const rank = rankText(place, likely.size) || say("searched");
    const share = likely.get(target)?.probability ?? null;
    const text = say("listed", { first: name, second: rank });
    setText(slider.label, say("labelled", { label: say("target"), text }));
    slider.label.title = name;
    const second = share === null ? "" : formatProbability(share);
    const spoken = second ? say("listed", { first: text, second }) : text;
    setAttributes(slider.input, { "aria-valuetext": spoken });
  };

  const mark = () => {
    [...list.children].forEach((option, n) => {
      setAttributes(option, { "aria-selected": `${n === active}` });
    });
    setAttributes(search, { "aria-activedescendant": found.length > 0 && `${id}-${active}` });
  };

  const close = () => {
    show(list, false);
    found = [];
    setAttributes(search, { "aria-expanded": "false", "aria-activedescendant": false });
  };

  const refresh = () => {
    const current = index;
    found = current ? findClasses(current, search.value, MAX_FOUND) : [];
    active = 0;
    list.replaceChildren(
      ...found.map((target, n) =>
        h(
          "li",
          { id: `${id}-${n}`, role: "option" },
          h("span.class", current ? className(current, target) : ""),
          h("span.number", `${target}`),
        ),
      ),
    );
    show(list, found.length > 0);
    setAttributes(search, { "aria-expanded": `${found.length > 0}` });
    setText(none, search.value.trim() && found.length === 0 ? say("no_class") : "");
    mark();
  };

  const take = (place: number) => {
    const target = found[place];
    if (target === undefined) return;
    search.value = "";
    close();
    pick(target);
  };

  on(search, "input", refresh);
  on(search, "blur", close);
  onKeys(on, search, (key) => {
    if (key === "Escape" && search.value) {
      search.value = "";
      refresh();
    } else if (found.length === 0) return false;
    else if (key === "ArrowDown") active = (active + 1) % found.length;
    else if (key === "ArrowUp") active = (active + found.length - 1) % found.length;
    else if (key === "Enter") take(active);
    else return false;
    mark();
    return true;
  });
  // The list must not take the focus from the box that it belongs to.
  on(list, "pointerdown", (event) => event.preventDefault());
  on(list, "click", ({ target }) => {
    take([...list.children].findIndex((option) => option.contains(target as Node)));
  });

  return {
    box: h("div.target", slider.box, h("div.search", search, list, none)),
    listed: () => slots,
    choose: select,
    setClasses(next, ranked) {
      index = next;
      const count = next.class_count ?? 0;
      likely = new Map(ranked.map((prediction) => [prediction.index, prediction]));
      slots = [...likely.keys()];
      slider.input.disabled = count < 2;
      show(search.parentElement ?? search, count > slots.length);
    },
  };
}
