/** Labelled native controls, alike in every widget; `data-cnnviz-control` names what they set. */

import { h, type On, setAttributes, setText } from "./dom";
import { say } from "./words";

/** A control with its label, in a box of its own. */
export interface Control<T extends HTMLElement> {
  readonly box: HTMLElement;
  readonly label: HTMLElement;
  readonly input: T;
}

function labelled<T extends HTMLElement>(name: string, caption: string, input: T): Control<T> {
  input.dataset.cnnvizControl = name;
  const label = h("span", caption);
  return { box: h("label.control", label, input), label, input };
}

export function selectControl(
  name: string,
  label: string,
  options: readonly (readonly [value: string, label: string])[],
  on: On,
  onChange: (value: string) => void,
): Control<HTMLSelectElement> {
  const input = h("select", ...options.map(([value, caption]) => h("option", { value }, caption)));
  on(input, "change", () => onChange(input.value));
  return labelled(name, label, input);
}

/** An `<input>`: a range by whole numbers, a number field, or a box to check. */
export function inputControl(
  type: "range" | "number" | "checkbox",
  name: string,
  label: string,
  on: On,
  onInput: (input: HTMLInputElement) => void,
): Control<HTMLInputElement> {
  const input = h("input", {
    type,
    step: type === "number" ? "any" : 1,
    min: type === "range" && 0,
  });
  on(input, "input", () => onInput(input));
  return labelled(name, label, input);
}

/** A range whose number stands beside its label. */
export interface Slider extends Control<HTMLInputElement> {
  /** @param text how the value is said */
  set(value: number, text: string): void;
}

export function sliderControl(
  name: string,
  label: string,
  [min, max, step]: readonly [min: number, max: number, step: number],
  on: On,
  onInput: (value: number) => void,
): Slider {
  const made = inputControl("range", name, label, on, (input) => onInput(input.valueAsNumber));
  setAttributes(made.input, { min, max, step });
  return {
    ...made,
    set(value, text) {
      made.input.value = `${value}`;
      setText(made.label, say("labelled", { label, text }));
      setAttributes(made.input, { "aria-valuetext": text });
    },
  };
}

const TILES_PX = [32, 48, 64, 96, 128, 192, 256];

/** The size of tiles; one that Python set and that is not offered is offered from then on. */
export interface TileControl extends Control<HTMLSelectElement> {
  set(px: number): void;
}

export function tileControl(on: On, onChange: (px: number) => void): TileControl {
  const made = selectControl("tile", say("tile"), [], on, (px) => onChange(Number(px)));
  const offer = (px: number) => made.input.append(h("option", { value: px }, `${px} px`));
  TILES_PX.forEach(offer);
  return {
    ...made,
    set(px) {
      made.input.value = `${px}`;
      if (made.input.value) return;
      offer(px);
      made.input.value = `${px}`;
    },
  };
}

/** Controls that are out of the way until they are wanted, and words below them. */
export function folded(
  controls: readonly Pick<Control<HTMLElement>, "box">[],
  ...below: readonly HTMLElement[]
): HTMLElement {
  const options = h("div.options", ...controls.map(({ box }) => box));
  return h("details", h("summary", say("view")), options, ...below);
}
