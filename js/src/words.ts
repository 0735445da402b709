/** Every word that the interface shows, in one table per language. */

import type { ScaleMode, SpecialName } from "./colormap";
import type { SortKey } from "./order";

const english = {
  layer: "Layer",
  layers: "Layers",
  place: (place: number, count: number) => `${place} of ${count}`,
  container: "block",
  parameters: (count: string) => (count === "0" ? "no parameters" : `${count} parameters`),
  findLayer: "Find a layer",
  nothingFound: "No layer matches.",

  picture: "The picture that goes in",
  pictureOf: (place: number, count: number) => `Picture ${place} of ${count}`,
  noPicture: "The input is not a picture.",
  noMap: "No map: this layer is shown below.",
  says: "What the network says",
  probability: (kind: string) =>
    ({
      logit: "Softmax of the scores",
      probability: "As the network gives them",
      "log-probability": "Exponentials of the scores",
    })[kind] ?? kind,
  noScores: "This network gives no class scores.",

  channel: (channel: number) => `Channel ${channel}`,
  channels: (count: number, height: number, width: number) =>
    `${count} ${count === 1 ? "channel" : "channels"} of ${height} × ${width}`,
  reduced: (factor: number) => `, drawn as means of ${factor} × ${factor}`,
  cell: (channel: number, low: string, high: string, isDead: boolean) =>
    `channel ${channel}: ${low} to ${high}${isDead ? ", dead" : ""}`,
  rank: (place: number, count: number, sort: SortKey) =>
    sort === "index" ? `of ${count}` : `${place} of ${count} by ${english.sorts[sort]}`,
  dead: "dead",
  large: (channel: number, layer: string, height: number, width: number) =>
    `Channel ${channel} of ${layer}, ${height} × ${width} values; arrow keys read them`,
  readout: (y: number, x: number, value: string) => `y ${y}, x ${x}: ${value}`,
  readoutHint: "Point at the map to read a value.",
  facts: ["minimum", "maximum", "mean", "zeros"],
  histogram: (low: string, high: string) => `Histogram of the values from ${low} to ${high}`,
  allEqual: (value: string) => `Dead: all values of this channel are ${value}.`,
  noFinite: "No value of this channel is a finite number.",
  deadLayer: (value: string) => `Every value of this layer is ${value}: nothing gets through it.`,
  nanLayer: "No value of this layer is a finite number.",

  inputOf: "Input of the layer",
  outputOf: "Output of the layer",
  values: (count: number, low: string, high: string) =>
    `${count} values, ${low} to ${high}; the bars start at zero`,

  view: "View",
  scale: "Scale",
  scales: {
    channel: "each channel on its own",
    layer: "whole layer",
    fixed: "fixed by you",
  } satisfies Record<ScaleMode, string>,
  low: "From",
  high: "To",
  colormap: "Colours",
  colormapName: (name: string, isDiverging: boolean) =>
    isDiverging ? `${name}, centred on zero` : name,
  sort: "Sort by",
  sorts: {
    index: "index",
    mean: "mean",
    maximum: "maximum",
    variance: "variance",
    zeros: "share of zeros",
  } satisfies Record<SortKey, string>,
  tile: "Tile size",
  showInput: "Show the layer's input beside its output",

  legend: {
    channel: (channel: number) => `Each channel on its own scale; channel ${channel}:`,
    layer: () => "All channels on the scale of the whole layer:",
    fixed: () => "All channels on the scale you fixed:",
  },
  centred: "centred on zero",
  special: {
    nan: "not a number",
    posinf: "+infinity",
    neginf: "-infinity",
    below: "below",
    above: "above",
  } satisfies Record<SpecialName, string>,

  askLayout: "Which axis is which?",
  askWhy: (shape: string) =>
    `The output of this layer has the shape (${shape}), which can be read in more than one way.`,
  layouts: {
    NC: "batch, values",
    NCL: "batch, channels, positions",
    NLC: "batch, positions, channels (tokens)",
    NCHW: "batch, channels, height, width",
    NHWC: "batch, height, width, channels",
    NCDHW: "batch, channels, depth, height, width",
  } as Readonly<Record<string, string>>,
  choose: "choose",

  busy: "Loading",
  waiting: "Waiting for the kernel",
  static: "No kernel answers",
  staticHint: "Layers that are in this page can still be shown.",
  missing: (layer: string) => `${layer} is not in this page.`,
  failed: "This did not work",
  failedLayer: (layer: string) => `${layer} cannot be shown`,
  badMessage: "The page and the kernel do not understand each other",
  badMessageHint: "Reload the page and restart the kernel.",
  noLayers: "This network has no layers to show.",
};

export type Words = typeof english;

export const words: Words = english;
