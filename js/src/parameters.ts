/** The parameters of a method as controls, each with its default named, made from the registry. */

import { h, type On, setAttributes, setText, show } from "./dom";
import { formatCount, formatNumber } from "./format";
import * as words from "./words-saliency";

export type Value = number | string | boolean;
export type Values = Readonly<Record<string, Value>>;

/** A parameter as methods/registry.py describes it. */
export interface ParameterInfo {
  readonly name: string;
  readonly label: string;
  readonly kind: "int" | "float" | "choice" | "bool";
  readonly default: Value;
  readonly low: number | null;
  readonly high: number | null;
  readonly choices: readonly string[];
  readonly help: string;
}

export interface Parameters {
  readonly box: HTMLElement;
  /** Takes the parameters of a method, and the values that differ from their defaults. */
  show(infos: readonly ParameterInfo[], values: Values): void;
}

interface Field {
  readonly info: ParameterInfo;
  readonly box: HTMLElement;
  readonly input: HTMLInputElement | HTMLSelectElement;
}

function textOf(value: Value): string {
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value);
}

function makeInput({ name, kind, low, high, choices }: ParameterInfo): Field["input"] {
  const control = { "data-cnnviz-control": `parameter-${name}`, name };
  if (kind === "choice" || kind === "bool") {
    const values = kind === "bool" ? [true, false] : choices;
    const options = values.map((value) => h("option", { value: `${value}` }, textOf(value)));
    return h("select", control, ...options);
  }
  const step = kind === "int" ? 1 : "any";
  return h("input", { type: "number", step, min: low, max: high, ...control });
}

function makeField(info: ParameterInfo): Field {
  const input = makeInput(info);
  const [low, high] = [info.low, info.high].map((end) => (end === null ? null : textOf(end)));
  const about = words.byDefault(textOf(info.default)) + words.bounds(low ?? null, high ?? null);
  const label = h("span", info.label);
  return {
    info,
    input,
    box: h("label.control", { title: info.help }, label, input, h("small", about)),
  };
}

/** What stands in a field, or null if that is nothing the parameter can be. */
function valueIn({ info, input }: Field): Value | null {
  if (info.kind === "bool") return input.value === "true";
  if (input instanceof HTMLSelectElement) return input.value;
  const value = input.valueAsNumber;
  const isWhole = info.kind === "float" || Number.isInteger(value);
  const isInside = value >= (info.low ?? -Infinity) && value <= (info.high ?? Infinity);
  return Number.isFinite(value) && isWhole && isInside ? value : null;
}

/** @param onChange takes the values that differ from their defaults */
export function makeParameters(on: On, onChange: (values: Values) => void): Parameters {
  const summary = new Text();
  const reset = h("button", { type: "button" }, words.reset);
  const controls = h("div.options");
  const box = h("details.parameters", h("summary", summary), controls);
  let fields: readonly Field[] = [];
  let shown: readonly ParameterInfo[] = [];

  const count = (values: Values) => {
    const changed = Object.keys(values).length;
    setText(summary, words.parameters(changed));
    reset.disabled = changed === 0;
    for (const { info, box: field } of fields) {
      setAttributes(field, { "data-changed": info.name in values });
    }
  };

  const put = (values: Values) => {
    for (const { info, input } of fields) {
      input.value = `${values[info.name] ?? info.default}`;
      setAttributes(input, { "aria-invalid": false });
    }
    count(values);
  };

  on(controls, "change", () => {
    const values: Record<string, Value> = {};
    let isRight = true;
    for (const field of fields) {
      const value = valueIn(field);
      setAttributes(field.input, { "aria-invalid": value === null && "true" });
      if (value === null) isRight = false;
      else if (value !== field.info.default) values[field.info.name] = value;
    }
    if (!isRight) return;
    count(values);
    onChange(values);
  });
  on(reset, "click", () => {
    put({});
    onChange({});
  });

  return {
    box,
    show(infos, values) {
      show(box, infos.length > 0);
      if (infos !== shown) {
        shown = infos;
        fields = infos.map(makeField);
        controls.replaceChildren(...fields.map((field) => field.box), reset);
      }
      put(values);
    },
  };
}
