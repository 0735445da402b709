/** The words of SaliencyOverlay, besides those of words.ts. */

import type { Form } from "./clipping";

export const method = "Method";
export const addMethod = "Add a method beside";
export const removeMethod = (title: string) => `Remove ${title}`;
export const passesOf = (passes: string) => `Needs ${passes}.`;

export const show = "Show";
export const shows = { both: "map over picture", picture: "picture", map: "map" };
export const opacity = "Opacity of the map";
export const form = "Values";
export const forms: Readonly<Record<Form | "usual", string>> = {
  usual: "usual for the method",
  absolute: "absolute",
  signed: "signed, centred on zero",
  positive: "positive part",
};
export const percentile = "Clip at percentile";
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
  signed: "Signed values",
  positive: "Positive values",
};

/** Which scale is in force: `end` is its number. */
export const legend = (form: Form, percentile: number, end: string) =>
  percentile < 100
    ? `${STARTS[form]}, clipped at the ${ordinal(percentile)} percentile, ${end}:`
    : `${STARTS[form]}, up to the largest, ${end}:`;

export const explained = (kind: string, name: string, score: string) =>
  `Explains the ${kind} of ${name}, ${score}`;
export const customScore = (score: string) => `Explains a score of your own, ${score}`;
export const atLayer = (layer: string) => `at ${layer}`;
export const layerOf = "Layer";
export const lastLayer = "the last with a grid";

/** How much was computed, in how long. */
export const cost = (forward: number, backward: number, seconds: string) => {
  const counted = [
    ...(forward ? [`${forward} forward`] : []),
    ...(backward ? [`${backward} backward`] : []),
  ];
  const passes = forward + backward === 1 ? "pass" : "passes";
  return `${counted.join(" and ") || "no"} ${passes}, ${seconds}`;
};
export const seconds = (value: number) =>
  value < 0.1 ? `${Math.max(1, Math.round(1000 * value))} ms` : `${value.toFixed(1)} s`;

export const progress = (done: number, total: number) => `${done} of ${total} passes`;
export const starting = "Starting";
export const queued = "Waits for the other methods";
export const cancel = "Cancel";
export const again = "Compute";
export const stopped = (done: number, total: number) =>
  `Stopped after ${done} of ${total} passes; the map is what was found by then.`;
export const stoppedBefore = "Stopped before there was a map.";
export const failed = (title: string) => `${title} cannot be shown`;
export const missing = "This map is not in this page.";
export const staticHint = "Maps that are in this page can still be shown.";

export const parameters = (changed: number) =>
  changed ? `Parameters, ${changed} changed` : "Parameters";
export const byDefault = (value: string) => `default ${value}`;
export const range = (low: string, high: string) => `${low} to ${high}`;
export const reset = "Back to the defaults";
export const yes = "yes";
export const no = "no";

export const mapOf = (title: string, height: number, width: number) =>
  `Map of ${title}, ${height} × ${width} values; arrow keys read them`;
