/** Labelled native controls, alike in every widget; `data-cnnviz-control` names what they set. */

import { element } from "./dom";

/** What a control belongs to: its end (`signal`) and where it tells of a change. */
export interface Control<T extends HTMLElement> {
  readonly box: HTMLElement;
  readonly input: T;
}

let nextId = 0;

/** An id that no other view in this page uses. */
export function freshId(): string {
  nextId += 1;
  return `cnnviz-${Math.random().toString(36).slice(2, 8)}-${nextId}`;
}

function labelled<T extends HTMLElement>(label: string, input: T, kind: string): Control<T> {
  input.id = freshId();
  const caption = element("label", { for: input.id }, label);
  const parts = kind === "check" ? [input, caption] : [caption, input];
  return { box: element("div", { class: `cnnviz-control cnnviz-${kind}` }, ...parts), input };
}

export function selectControl(
  name: string,
  label: string,
  options: readonly (readonly [value: string, label: string])[],
  signal: AbortSignal,
  onChange: (value: string) => void,
): Control<HTMLSelectElement> {
  const made = options.map(([value, caption]) => element("option", { value }, caption));
  const input = element("select", { "data-cnnviz-control": name }, ...made);
  input.addEventListener("change", () => onChange(input.value), { signal });
  return labelled(label, input, "select");
}

/** A number field; what is not a finite number is left alone until it is one. */
export function numberControl(
  name: string,
  label: string,
  signal: AbortSignal,
  onChange: (value: number) => void,
): Control<HTMLInputElement> {
  const input = element("input", { type: "number", step: "any", "data-cnnviz-control": name });
  const changed = () => {
    if (input.value !== "" && Number.isFinite(input.valueAsNumber)) onChange(input.valueAsNumber);
  };
  input.addEventListener("input", changed, { signal });
  return labelled(label, input, "number");
}

export function checkControl(
  name: string,
  label: string,
  signal: AbortSignal,
  onChange: (checked: boolean) => void,
): Control<HTMLInputElement> {
  const input = element("input", { type: "checkbox", "data-cnnviz-control": name });
  input.addEventListener("change", () => onChange(input.checked), { signal });
  return labelled(label, input, "check");
}

export function rangeControl(
  name: string,
  label: string,
  signal: AbortSignal,
  onInput: (value: number) => void,
): Control<HTMLInputElement> {
  const input = element("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    value: 0,
    "data-cnnviz-control": name,
  });
  input.addEventListener("input", () => onInput(input.valueAsNumber), { signal });
  return labelled(label, input, "range");
}
