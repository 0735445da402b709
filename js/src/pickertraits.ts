/** The traits of an ImagePicker. */

import type { SharedTraits } from "./traits";
import type { After } from "./words";

/** What was done to a picture: the name that the tables have for it, and what came of it. */
export type Step = readonly [kind: After<"step_">, width: number, height: number, name: string];

/** What is known of the chosen picture; nothing of one that was not chosen in the widget. */
export interface Chosen {
  readonly name?: string;
  /** Place among the samples, or -1. */
  readonly sample?: number;
  /** What was done to it, in order; sizes are those after it. */
  readonly steps?: readonly Step[];
}

export interface PickerTraits extends SharedTraits {
  image: number;
  fit: string;
  _chosen: Chosen;
  /** Names of the samples; "" for one without. */
  _names: readonly string[];
  /** Name of the user's own preprocessing, or "". */
  _preprocess: string;
  /** Largest file that the kernel takes. */
  _most_bytes: number;
}
