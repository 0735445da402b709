// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { h, listenUntil } from "../src/dom";
import {
  findClasses,
  makeTargetPicker,
  pickPredictions,
  rankText,
  type TargetPicker,
} from "../src/targetpicker";
import type { Index } from "../src/traits";
import { indexOf } from "./model";

const NAMES = ["tench", "goldfish", "tiger shark", "tabby, tabby cat", "tiger cat", "catamaran"];
const INDEX: Index = { ...indexOf(), classes: NAMES, class_count: NAMES.length };
const RANKED = [4, 3].map((index) => ({ index, name: NAMES[index] ?? "", probability: 0.4 }));

let end: AbortController;
let chosen: number[];
let picker: TargetPicker;

beforeEach(() => {
  end = new AbortController();
  chosen = [];
  picker = makeTargetPicker(listenUntil(end.signal), (target) => chosen.push(target));
  document.body.replaceChildren(picker.box);
  picker.setClasses(INDEX, RANKED);
  picker.choose(4);
});

afterEach(() => end.abort());

function one<T extends HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

const slider = () => one<HTMLInputElement>('[data-cnnviz-control="target"]');
const search = () => one<HTMLInputElement>('[type="search"]');
const options = () => [...document.querySelectorAll('[role="option"]')];

function slide(value: number): void {
  slider().value = `${value}`;
  slider().dispatchEvent(new Event("input"));
}

function type(text: string): void {
  search().value = text;
  search().dispatchEvent(new Event("input"));
}

function press(key: string): boolean {
  const init = { key, bubbles: true, cancelable: true };
  return !search().dispatchEvent(new KeyboardEvent("keydown", init));
}

describe("classes found by name", () => {
  it("are those first in whose name a word begins so", () => {
    expect(findClasses(INDEX, "cat", 8)).toEqual([3, 4, 5]);
    expect(findClasses(INDEX, "AB", 8)).toEqual([3]);
    expect(findClasses(INDEX, "t", 3)).toEqual([0, 2, 3]);
    expect(findClasses(INDEX, " ", 8)).toEqual([]);
  });

  it("are found by number, and by number alone where they have no name", () => {
    expect(findClasses(INDEX, "2", 8)).toEqual([2]);
    expect(findClasses({ ...INDEX, classes: null, class_count: 12 }, "1", 8)).toEqual([1, 10, 11]);
    expect(findClasses({ ...INDEX, class_count: null }, "cat", 8)).toEqual([]);
  });

  it("are found at once among a thousand", () => {
    const classes = Array.from({ length: 1000 }, (_, i) => `class number ${i}`);
    const index = { ...INDEX, classes, class_count: 1000 };
    expect(findClasses(index, "999", 8)).toEqual([999]);
    expect(findClasses(index, "class", 8)).toHaveLength(8);
  });
});

describe("the slider", () => {
  it("goes through the likeliest, best first, and says which", () => {
    expect([slider().max, slider().value]).toEqual(["1", "0"]);
    expect(slider().getAttribute("aria-valuetext")).toBe("tiger cat, 1 of the 2 likeliest, 0.400");
    slide(1);
    expect(chosen).toEqual([3]);
    expect(picker.box.textContent).toContain("Class: tabby, tabby cat");
  });

  it("counts nothing where there is but one class", () => {
    expect([rankText(1, 1), rankText(1, 3), rankText(0, 3)]).toEqual([
      "the only class",
      "1 of the 3 likeliest",
      "",
    ]);
  });

  it("takes up a class that was chosen elsewhere", () => {
    picker.choose(0);
    expect([slider().max, slider().value]).toEqual(["2", "2"]);
    expect(slider().getAttribute("aria-valuetext")).toBe("tench, found by name");
    expect(chosen).toEqual([]);
    expect(picker.listed()).toEqual([4, 3, 0]);
  });
});

describe("the search", () => {
  it("chooses by keyboard", () => {
    type("cat");
    expect(options().map((option) => option.textContent)).toEqual([
      "tabby, tabby cat3",
      "tiger cat4",
      "catamaran5",
    ]);
    expect(press("ArrowUp")).toBe(true);
    expect(options().map((option) => option.getAttribute("aria-selected"))).toEqual([
      "false",
      "false",
      "true",
    ]);
    expect(search().getAttribute("aria-activedescendant")).toBe(options()[2]?.id);
    press("Enter");
    expect(chosen).toEqual([5]);
    expect([search().value, search().getAttribute("aria-expanded")]).toEqual(["", "false"]);
    expect(press("ArrowDown")).toBe(false);
  });

  it("chooses by a click, closes on Escape, and says when nothing matches", () => {
    type("fish");
    options()[0]?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(chosen).toEqual([1]);
    type("zebra");
    expect(picker.box.textContent).toContain("No class matches.");
    press("Escape");
    expect(search().value).toBe("");
    expect(picker.box.textContent).not.toContain("No class matches.");
  });

  it("is not there where the slider has all classes", () => {
    picker.setClasses({ ...INDEX, class_count: 2 }, RANKED);
    expect(search().parentElement?.hidden).toBe(true);
  });
});

it("takes a click among the predictions", () => {
  const rows = h("ol", h("li", { "data-target": 7 }, h("span", "seven")), h("li", "none"));
  pickPredictions(listenUntil(end.signal), rows, (target) => chosen.push(target));
  rows.querySelector("span")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  rows.lastElementChild?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(chosen).toEqual([7]);
});
