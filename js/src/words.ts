/** Every word that the interface shows, in one table per language. */

import type { SpecialName } from "./colormap";
import type { SortKey } from "./order";

const english = {
  layer: "Layer",
  layers: "Layers",
  place: (place: number, count: number) => `${place} of ${count}`,
  placeOf: (name: string, place: number, count: number) => `${name}, ${place} of ${count}`,
  container: "whole block",
  parameters: (count: string) => `${count} parameters`,
  noParameters: "no parameters",
  findLayer: "Find a layer",
  nothingFound: "No layer has this in its name or type.",

  picture: "Picture",
  pictureOf: (place: number, count: number) => `Picture ${place} of ${count}`,
  pictureLabel: "The picture that goes in",
  noPicture: "This input cannot be shown as a picture.",
  says: "What the network says",
  probabilityOf: (kind: string) => {
    if (kind === "logit") return "probability: softmax of the scores";
    if (kind === "probability") return "probability, as the network gives it";
    if (kind === "log_probability") return "probability: exponential of the scores";
    return kind;
  },
  noPredictions: "This network gives no class scores.",
  scoreOf: (score: string) => `score ${score}`,

  channel: (channel: number) => `Channel ${channel}`,
  channels: (count: number) => (count === 1 ? "1 channel" : `${count} channels`),
  mapSize: (height: number, width: number) => `${height} × ${width}`,
  reduced: (factor: number) => `drawn as means of ${factor} × ${factor}`,
  cell: (channel: number, low: string, high: string, dead: boolean) =>
    `channel ${channel}, ${low} to ${high}${dead ? ", dead: all values are equal" : ""}`,
  rankBy: (place: number, count: number, sort: SortKey) =>
    sort === "index" ? `of ${count}` : `${place} of ${count} by ${english.sorts[sort]}`,
  dead: "dead",
  largeLabel: (channel: number, layer: string, size: string) =>
    `Channel ${channel} of ${layer}, ${size} values. Arrow keys read them one by one.`,
  readout: (y: number, x: number, value: string) => `y ${y}, x ${x}: ${value}`,
  readoutHint: "Point at the map to read a value.",
  minimum: "minimum",
  maximum: "maximum",
  mean: "mean",
  zeros: "zeros",
  histogram: (low: string, high: string) => `Histogram of the values from ${low} to ${high}`,
  allEqual: (value: string) => `All values are ${value}: this channel says nothing here.`,
  noFinite: "No value of this channel is a finite number.",
  deadLayer: (value: string) =>
    `Every channel is ${value} everywhere: nothing gets through this layer.`,
  nanLayer: "Not one value of this layer is a finite number.",

  inputOf: "Input of the layer",
  outputOf: "Output of the layer",
  values: (count: number) => (count === 1 ? "1 value" : `${count} values`),
  element: (index: number) => `${index}`,

  view: "View",
  scale: "Scale",
  scales: { channel: "each channel on its own", layer: "whole layer", fixed: "fixed by you" },
  low: "From",
  high: "To",
  colormap: "Colours",
  colormapKind: (name: string, diverging: boolean) =>
    diverging ? `${name}, centred on zero` : name,
  sort: "Sort by",
  sorts: {
    index: "index",
    mean: "mean",
    maximum: "maximum",
    variance: "variance",
    zeros: "share of zeros",
  } satisfies Record<SortKey, string>,
  tile: "Tile size",
  tilePixels: (pixels: number) => `${pixels} px`,
  showInput: "Show the layer's input beside its output",

  legendLabel: "What the colours mean",
  legendChannel: (channel: number) => `Each channel on its own scale; channel ${channel}:`,
  legendLayer: "All channels on the scale of the whole layer:",
  legendFixed: "All channels on the scale you fixed:",
  legendVector: "Bars start at zero:",
  centred: "centred on zero",
  range: (low: string, high: string) => `${low} to ${high}`,
  special: {
    nan: "not a number",
    posinf: "+infinity",
    neginf: "-infinity",
    below: "below",
    above: "above",
  } satisfies Record<SpecialName, string>,

  askLayout: "Which axis is which?",
  askWhy: (shape: string) =>
    `The output of this layer has the shape ${shape}, which can be read in more than one way.`,
  layouts: {
    NC: "vector: batch, values",
    NCL: "sequence: batch, channels, positions",
    NLC: "tokens: batch, positions, channels",
    NCHW: "maps: batch, channels, height, width",
    NHWC: "maps: batch, height, width, channels",
    NCDHW: "volume: batch, channels, depth, height, width",
    NDHWC: "volume: batch, depth, height, width, channels",
  } as Readonly<Record<string, string>>,
  choose: "choose",

  loading: "Loading the first layer",
  busy: "Loading",
  waiting: "Waiting for the kernel",
  noKernel: "No kernel answers",
  static: "Layers that are already in this page can still be shown.",
  missing: (layer: string) => `${layer} is not in this page. Layers that are can still be shown.`,
  failed: "This did not work",
  failedLayer: (layer: string) => `${layer} cannot be shown`,
  badMessage: "The page and the kernel do not understand each other.",
  badMessageHint: "Reload the page and restart the kernel, so that both run the same version.",
  noLayers: "This network has no layers to show.",
};

export type Words = typeof english;

export const words: Words = english;
