/** The words of SaliencyOverlay, besides those of words.ts. */

import type { Form } from "./clipping";
import type { Facts } from "./saliencymap";
import type { PanelState } from "./saliencytraits";

export const method = "Method";
export const families = { saliency: "At the picture", cam: "At a layer" };
export const addMethod = "Add a method beside";
export const removeMethod = (title: string) => `Remove ${title}`;
export const needs = (passes: string) => `Takes ${passes}.`;

export const show = "Show";
export const shows = { both: "both", picture: "picture", map: "map" };
export const opacity = "Opacity";
export const form = "Values";
export const forms: Readonly<Record<Form | "usual", string>> = {
  usual: "usual",
  absolute: "absolute",
  signed: "signed",
  positive: "positive part",
};
/** The usual values of the methods shown: the same for all of them, or each its own. */
export const usual = (only: Form | null) =>
  only ? `${forms[only]} (usual)` : "usual for each method";
export const percentile = "Clip";
export const clip = (value: number) =>
  value < 100 ? `${ordinal(value)} percentile` : "not at all";
export const smooth = "Smooth";
export const colormap = "Colours";
export const share = (value: number) => `${Math.round(100 * value)} %`;

const SUFFIXES = ["th", "st", "nd", "rd"];

/** A percentile in words, such as "the 99th percentile" or "the 99.5th percentile". */
export function ordinal(value: number): string {
  const isTeen = value % 100 > 10 && value % 100 < 14;
  const suffix = Number.isInteger(value) && !isTeen ? SUFFIXES[value % 10] : "th";
  return `${value}${suffix ?? "th"}`;
}

const STARTS: Readonly<Record<Form, string>> = {
  absolute: "Absolute values",
  signed: "Signed values, centred on zero",
  positive: "Positive values",
};

/** Which scale is in force: `end` is its number. */
export const legend = (form: Form, percentile: number, end: string) =>
  percentile < 100
    ? `${STARTS[form]}, clipped at the ${ordinal(percentile)} percentile, ${end}:`
    : `${STARTS[form]}, up to the largest, ${end}:`;

/** Which number the map is about. */
export const explained = (kind: string, name: string, score: string, layer: string | null) => {
  const what = kind === "custom" ? name : `the ${kind} of class ${name}`;
  const where = layer ? `at layer ${layer}` : "";
  return `Explains ${[what, score, where].filter(Boolean).join(", ")}`;
};
export const layer = "Layer of the CAMs";
export const lastLayer = "the last with a grid";

export const seconds = (value: number) =>
  value < 0.1 ? `${Math.max(1, Math.round(1000 * value))}\u00a0ms` : `${value.toFixed(1)}\u00a0s`;

/** How much was computed, in how long. */
export const cost = ({ forward, backward, seconds: took }: Facts) => {
  const counted = [forward && `${forward} forward`, backward && `${backward} backward`];
  const passes = (backward || forward) === 1 ? "pass" : "passes";
  return `${counted.filter(Boolean).join(" and ") || "no"} ${passes}, ${seconds(took)}`;
};

/** What a panel says of its method while it is at work, and after. */
export function status(
  state: PanelState,
  done: number,
  total: number,
  facts: Facts | null,
): string {
  if (state === "done") return facts ? cost(facts) : "";
  if (state === "queued") return "Waits for the other methods";
  if (state === "missing") return "This map is not in this page.";
  if (state === "failed") return "";
  const took = facts && done ? `, ${seconds(facts.seconds)}` : "";
  const share = `${done} of ${total} passes${took}`;
  if (state === "running") {
    return total ? share : done ? `${done} passes so far` : "Starting";
  }
  return total ? `Stopped after ${share}` : "Stopped";
}
export const progress = "Progress";
export const cancel = "Cancel";
export const again = "Compute";
export const retry = "Try again";
export const failed = (title: string) => `${title} cannot be shown`;
export const staticHint = "Maps that are in this page can still be shown.";

export const parameters = (changed: number) =>
  changed ? `Parameters, ${changed} changed` : "Parameters";
export const byDefault = (value: string) => `default ${value}`;
export const bounds = (low: string | null, high: string | null) => {
  if (low === null) return high === null ? "" : `, at most ${high}`;
  return high === null ? `, at least ${low}` : `, ${low} to ${high}`;
};
export const reset = "Back to the defaults";
export const yes = "yes";
export const no = "no";

export const mapOf = (title: string, height: number, width: number) =>
  `Map of ${title}, ${height} × ${width} values; arrow keys read them`;
export const noMap = "No map yet.";
