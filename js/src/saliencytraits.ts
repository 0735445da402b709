/** The traits of the SaliencyOverlay. */

import type { AnyModel } from "@anywidget/types";
import type { Form } from "./clipping";
import type { ParameterInfo, Values } from "./parameters";
import type { SharedTraits } from "./traits";

/** A method as cnnviz_widgets/widgets/method_entries.py describes it. */
export interface MethodInfo {
  readonly name: string;
  readonly title: string;
  readonly family: "saliency" | "cam";
  /** What is usually drawn of its maps. */
  readonly usual: Form;
  readonly paper: string;
  readonly passes: string;
  readonly summary: string;
  /** Whether it takes long enough to show what it has so far. */
  readonly progressive: boolean;
  /** Whether it can be asked at a layer of the reader's choice. */
  readonly at_layer: boolean;
  readonly parameters: readonly ParameterInfo[];
}

export interface PanelTrait {
  readonly method: string;
  /** Those that are not left at their defaults. */
  readonly parameters?: Values;
}

export interface SaliencyTraits extends SharedTraits {
  readonly _methods: readonly MethodInfo[];
  /** Names of the layers that have a grid of places. */
  _grids: readonly string[];
  panels: readonly PanelTrait[];
  target: number | null;
  image: number;
  layer: string | null;
  show: "both" | "picture" | "map";
  opacity: number;
  form: Form | "usual";
  percentile: number;
  smooth: boolean;
  colormap: string;
}

/** How maps are drawn; none of these costs a request. */
export const LOOK_TRAITS = ["show", "opacity", "form", "percentile", "smooth", "colormap"] as const;

export type SaliencyLook = Readonly<Pick<SaliencyTraits, (typeof LOOK_TRAITS)[number]>>;

export type SaliencyModel = AnyModel<SaliencyTraits>;

/**
 * How far a panel is: "asked" may mean that other methods go first, which "queued" says; "missing"
 * that no kernel is there to ask.
 */
export type PanelState = "asked" | "queued" | "running" | "done" | "stopped" | "failed" | "missing";
