/** The traits of the CamSlider. */

import type { AnyModel } from "@anywidget/types";
import type { CamScale } from "./cammaps";
import type { SharedTraits } from "./traits";

/** A method as cnnviz_widgets/widgets/method_entries.py describes it, as far as it is used here. */
export interface CamMethod {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly passes: string;
  readonly paper: string;
  /** Whether it costs so much that it runs for one layer at a time, and shows what it has. */
  readonly progressive: boolean;
}

export interface CamTraits extends SharedTraits {
  readonly _methods: readonly CamMethod[];
  /** Names of the layers that have a grid of places. */
  readonly _grids: readonly string[];
  layer: string;
  /** Classes shown; none is the top prediction. */
  targets: readonly number[];
  image: number;
  method: string;
  scale: CamScale;
  opacity: number;
  threshold: number;
  smooth: boolean;
  colormap: string;
}

/** How maps are drawn; none of these costs a request. */
export const CAM_LOOK_TRAITS = ["scale", "opacity", "threshold", "smooth", "colormap"] as const;

export type CamLook = Readonly<Pick<CamTraits, (typeof CAM_LOOK_TRAITS)[number]>>;

export type CamModel = AnyModel<CamTraits>;

/** The method of this name; the first one if there is none. */
export function findMethod(methods: readonly CamMethod[], name: string): CamMethod {
  return methods.find((method) => method.name === name) ?? (methods[0] as CamMethod);
}

export function readLook(model: CamModel): CamLook {
  return Object.fromEntries(
    CAM_LOOK_TRAITS.map((name) => [name, model.get(name)]),
  ) as unknown as CamLook;
}
