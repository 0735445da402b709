/**
 * Every word that the interface shows. Each is an export of its own, so that a bundle carries those
 * that its widget uses and no others: `import * as words from "./words"`.
 */

import type { ScaleMode, SpecialName } from "./colormap";
import type { SortKey } from "./order";

export const layer = "Layer";
export const layers = "Layers";
export const place = (place: number, count: number) => `${place} of ${count}`;
export const container = "block";
export const parameters = (count: string) =>
  count === "0" ? "no parameters" : `${count} parameters`;
export const findLayer = "Find a layer";
export const nothingFound = "No layer matches.";

export const picture = "The picture that goes in";
export const pictureOf = (place: number, count: number) => `Picture ${place} of ${count}`;
export const noPicture = "The input is not a picture.";
export const noMap = "No map: this layer is shown below.";
export const says = "What the network says";
export const probability = (kind: string) =>
  ({
    logit: "Softmax of the scores",
    probability: "As the network gives them",
    "log-probability": "Exponentials of the scores",
  })[kind] ?? kind;
export const noScores = "This network gives no class scores.";

export const channel = (channel: number) => `Channel ${channel}`;
export const channels = (count: number, height: number, width: number) =>
  `${count} ${count === 1 ? "channel" : "channels"} of ${height} × ${width}`;
export const reduced = (factor: number) => `, drawn as means of ${factor} × ${factor}`;
export const cell = (channel: number, low: string, high: string, isDead: boolean) =>
  `channel ${channel}: ${low} to ${high}${isDead ? ", dead" : ""}`;
export const sorts: Readonly<Record<SortKey, string>> = {
  index: "index",
  mean: "mean",
  maximum: "maximum",
  variance: "variance",
  zeros: "share of zeros",
};
export const rank = (place: number, count: number, sort: SortKey) =>
  sort === "index" ? `of ${count}` : `${place} of ${count} by ${sorts[sort]}`;
export const dead = "dead";
export const large = (channel: number, layer: string, height: number, width: number) =>
  `Channel ${channel} of ${layer}, ${height} × ${width} values; arrow keys read them`;
export const readout = (y: number, x: number, value: string) => `y ${y}, x ${x}: ${value}`;
export const readoutHint = "Point at the map to read a value.";
export const facts = ["minimum", "maximum", "mean", "zeros"];
export const histogram = (low: string, high: string) =>
  `Histogram of the values from ${low} to ${high}`;
export const allEqual = (value: string) => `Dead: all values of this channel are ${value}.`;
export const noFinite = "No value of this channel is a finite number.";
export const deadLayer = (value: string) =>
  `Every value of this layer is ${value}: nothing gets through it.`;
export const nanLayer = "No value of this layer is a finite number.";

export const inputOf = "Input of the layer";
export const outputOf = "Output of the layer";
export const values = (count: number, low: string, high: string) =>
  `${count} values, ${low} to ${high}; the bars start at zero`;

export const view = "View";
export const scale = "Scale";
export const scales: Readonly<Record<ScaleMode, string>> = {
  channel: "each channel on its own",
  layer: "whole layer",
  fixed: "fixed by you",
};
export const low = "From";
export const high = "To";
export const colormap = "Colours";
export const colormapName = (name: string, isDiverging: boolean) =>
  isDiverging ? `${name}, centred on zero` : name;
export const sort = "Sort by";
export const tile = "Tile size";
export const showInput = "Show the layer's input beside its output";

export const legend: Readonly<Record<ScaleMode, (channel: number) => string>> = {
  channel: (channel) => `Each channel on its own scale; channel ${channel}:`,
  layer: () => "All channels on the scale of the whole layer:",
  fixed: () => "All channels on the scale you fixed:",
};
export const centred = "centred on zero";
export const special: Readonly<Record<SpecialName, string>> = {
  nan: "not a number",
  posinf: "+infinity",
  neginf: "-infinity",
  below: "below",
  above: "above",
};

export const askLayout = "Which axis is which?";
export const askWhy = (shape: string) =>
  `The output of this layer has the shape (${shape}), which can be read in more than one way.`;
export const layouts: Readonly<Record<string, string>> = {
  NC: "batch, values",
  NCL: "batch, channels, positions",
  NLC: "batch, positions, channels (tokens)",
  NCHW: "batch, channels, height, width",
  NHWC: "batch, height, width, channels",
  NCDHW: "batch, channels, depth, height, width",
};
export const choose = "choose";

export const states = {
  busy: "Loading",
  waiting: "Waiting for the kernel",
  static: "No kernel answers",
  stored: "Stored in this page",
};
export const staticHint = "Layers that are in this page can still be shown.";
export const missing = (layer: string) => `${layer} is not in this page.`;
export const failed = "This did not work";
export const failedLayer = (layer: string) => `${layer} cannot be shown`;
export const badMessage = "The page and the kernel do not understand each other";
export const badMessageHint = "Reload the page and restart the kernel.";
export const noLayers = "This network has no layers to show.";
