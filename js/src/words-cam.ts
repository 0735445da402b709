/** The words of the CamSlider, besides those of words.ts. */

import type { CamScale } from "./cammaps";

export const method = "Method";
export const scale = "Scale";
export const scales: Readonly<Record<CamScale, string>> = {
  rectified: "positive",
  signed: "signed",
  map: "each its own",
};
export const opacity = "Opacity";
export const threshold = "Threshold";
export const none = "none";
export const share = (value: number) => `${Math.round(100 * value)} %`;
export const smooth = "Smooth between values";
export const colormap = "Colours";
export const signedColours = "Signed maps keep their own colours, centred on zero.";

/** Which scale is in force; `count` maps are on it. */
export const legend = (scale: CamScale, count: number, name: string) => {
  if (scale === "map") return `Positive values as drawn, each map on its own scale; ${name}:`;
  const what = scale === "signed" ? "Signed values as drawn" : "Positive values as drawn";
  if (count < 2) return `${what}:`;
  return `${what}, ${count === 2 ? "both" : `all ${count}`} maps on one scale:`;
};
export const hidden = (value: string, isSigned: boolean) =>
  isSigned
    ? `Nearer to zero than ${value} the picture shows; the line is drawn there.`
    : `Below ${value} the picture shows; the line is drawn there.`;

export const mapOf = (name: string, layer: string, height: number, width: number) =>
  `Map of ${name} at ${layer}, ${height} × ${width} values; arrow keys read them`;
export const explained = (kind: string, score: string) => `${kind} ${score}`;
export const probability = (share: string) => `probability ${share}`;
export const extent = (low: string, high: string) => `raw values from ${low} to ${high}`;
export const noFinite = "no value is a finite number";
export const active = (name: string) => `Slide the class of ${name}`;
export const add = "Add a class beside";
export const remove = (name: string) => `Remove ${name}`;

export const needs = (passes: string) => `Takes ${passes}.`;

export const waits = "This map is on its way.";
export const rest = (title: string, passes: string) =>
  `${title} takes ${passes}: it runs for the layer at which the slider rests.`;
export const progress = (done: number, total: number) => `${done} of ${total} passes`;
export const stop = "Stop";
export const stopped = "Stopped.";
export const compute = "Compute";
export const noMap = "This map is not in this page.";
export const staticHint = "Maps that are in this page can still be shown.";
export const noClasses = "This network gives no class scores, so there is no class to explain.";
export const noGrids = "No layer of this network has a grid of places, so there is no map to show.";
export const failed = (title: string) => `${title} cannot be shown here`;
