// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it } from "vitest";
import { listenUntil } from "../src/dom";
import {
  makeParameters,
  type ParameterInfo,
  type Parameters,
  type Values,
} from "../src/parameters";

const NONE = { low: null, high: null, choices: [], help: "" };
const INFOS: readonly ParameterInfo[] = [
  { ...NONE, name: "samples", label: "Samples", kind: "int", default: 25, low: 1, high: 10000 },
  { ...NONE, name: "noise", label: "Noise", kind: "float", default: 0.15, low: 0 },
  {
    ...NONE,
    name: "base",
    label: "Baseline",
    kind: "choice",
    default: "black",
    choices: [
      ["black", "black"],
      ["blur", "blurred"],
    ],
  },
  {
    ...NONE,
    name: "squared",
    label: "Squared",
    kind: "bool",
    default: false,
    help: "Of each sample.",
  },
];

let end: AbortController;
let changes: Values[];
let parameters: Parameters;

beforeEach(() => {
  end = new AbortController();
  changes = [];
  parameters = makeParameters(listenUntil(end.signal), (values) => changes.push(values));
  parameters.show(INFOS, {});
  document.body.replaceChildren(parameters.box);
});

afterEach(() => end.abort());

function control<T extends HTMLElement = HTMLInputElement>(name: string): T {
  const found = document.querySelector<T>(`[data-cnnviz-control="parameter-${name}"]`);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function set(name: string, value: string): void {
  control(name).value = value;
  control(name).dispatchEvent(new Event("change", { bubbles: true }));
}

it("shows each with its default and its limits", () => {
  const said = [...document.querySelectorAll("label")].map((label) =>
    [...label.querySelectorAll(":scope > span, small")].map((part) => part.textContent).join(": "),
  );
  expect(said).toEqual([
    "Samples: default 25, 1 to 10,000",
    "Noise: default 0.15, at least 0",
    "Baseline: default black",
    "Squared: default no",
  ]);
  expect(document.querySelectorAll("label")[3]?.title).toBe("Of each sample.");
  expect(document.querySelector("summary")?.textContent).toBe("Parameters");
});

it("tells only what differs from the defaults, each of its own type", () => {
  set("samples", "50");
  set("base", "blur");
  set("squared", "true");
  set("samples", "25");
  expect(changes).toEqual([
    { samples: 50 },
    { samples: 50, base: "blur" },
    { samples: 50, base: "blur", squared: true },
    { base: "blur", squared: true },
  ]);
  expect(document.querySelector("summary")?.textContent).toBe("Parameters, 2 changed");
});

it.each([
  ["samples", "0"],
  ["samples", "2.5"],
  ["samples", ""],
  ["noise", "-1"],
])("%s = %j is marked and not told", (name, value) => {
  set(name, value);
  expect(changes).toEqual([]);
  expect(control(name).getAttribute("aria-invalid")).toBe("true");
  set(name, "3");
  expect(control(name).hasAttribute("aria-invalid")).toBe(false);
  expect(changes).toEqual([{ [name]: 3 }]);
});

it("goes back to the defaults", () => {
  const reset = document.querySelector("button");
  expect(reset?.disabled).toBe(true);
  set("noise", "0.3");
  reset?.click();
  expect(changes.at(-1)).toEqual({});
  expect(control("noise").value).toBe("0.15");
  expect(reset?.disabled).toBe(true);
});

it("takes values from outside, and hides where there is nothing to set", () => {
  parameters.show(INFOS, { samples: 7, squared: true });
  expect([control("samples").value, control("squared").value]).toEqual(["7", "true"]);
  expect(document.querySelectorAll("[data-changed]")).toHaveLength(2);
  parameters.show([], {});
  expect(parameters.box.hidden).toBe(true);
});
