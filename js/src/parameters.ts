/** The parameters of a method as controls, each with its default named, made from the registry. */

import { h, type On, setAttributes, setText, show } from "./dom";
import { formatCount, formatNumber } from "./format";
import { say } from "./words";

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
  /** Each with what it is called. */
  readonly choices: readonly (readonly [value: string, title: string])[];
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
  if (typeof value === "boolean") return say(`${value}`);
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value);
}

/** What a parameter is at first, and between which ends it may be. */
function rangeText({ low, high, choices, ...info }: ParameterInfo): string {
  const [, title] = choices.find(([value]) => value === info.default) ?? [];
  const usual = say("by_default", { value: title ?? textOf(info.default) });
  const ends = { low: textOf(low ?? 0), high: textOf(high ?? 0) };
  if (low === null && high === null) return usual;
  return usual + say(low === null ? "bound_high" : high === null ? "bound_low" : "bounds", ends);
}

function makeInput({ name, kind, low, high, choices }: ParameterInfo): Field["input"] {
  const control = { "data-cnnviz-control": `parameter-${name}`, name };
  if (kind === "choice" || kind === "bool") {
    const truths = [true, false].map((value) => [`${value}`, textOf(value)] as const);
    const values = kind === "bool" ? truths : choices;
    return h("select", control, ...values.map(([value, title]) => h("option", { value }, title)));
  }
  const step = kind === "int" ? 1 : "any";
  return h("input", { type: "number", step, min: low, max: high, ...control });
}

function makeField(info: ParameterInfo): Field {
  const input = makeInput(info);
  const about = rangeText(info);
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
  const reset = h("button", { type: "button" }, say("reset"));
  const controls = h("div.options");
  const box = h("details.parameters", h("summary", summary), controls);
  let fields: readonly Field[] = [];
  let shown: readonly ParameterInfo[] = [];

  const count = (values: Values) => {
    const changed = Object.keys(values).length;
    const what = changed ? say("parameters_changed", { count: changed }) : say("method_parameters");
    setText(summary, what);
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
