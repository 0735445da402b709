/** The traits of the LayerBrowser. */

import type { AnyModel } from "@anywidget/types";
import type { ScaleMode } from "./colormap";
import type { SortKey } from "./order";
import type { SharedTraits } from "./traits";

export interface BrowserTraits extends SharedTraits {
  layer: string;
  channel: number;
  image: number;
  scale_mode: ScaleMode;
  scale_low: number;
  scale_high: number;
  colormap: string;
  diverging: boolean;
  sort: SortKey;
  tile: number;
  show_input: boolean;
}

/** How layers are drawn; the reader sets these under "View". */
export const VIEW_TRAITS = [
  "scale_mode",
  "scale_low",
  "scale_high",
  "diverging",
  "colormap",
  "sort",
  "tile",
  "show_input",
] as const;

export type View = Readonly<Pick<BrowserTraits, (typeof VIEW_TRAITS)[number]>>;

export type BrowserModel = AnyModel<BrowserTraits>;
