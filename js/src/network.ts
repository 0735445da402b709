/** The network a view browses: its layers in execution order, and where they stand on the slider. */

import type { Index, LayerEntry } from "./traits";

export interface Network {
  readonly leaves: readonly LayerEntry[];
  /** The layer of this name, or null. */
  find(name: string): LayerEntry | null;
  /** Place on the slider; that of a container is its last layer's, whose output is often its own. */
  placeOf(layer: LayerEntry): number;
}

export function makeNetwork({ layers }: Index): Network {
  const leaves = layers.filter(({ leaf }) => leaf).sort((a, b) => a.index - b.index);
  return {
    leaves,
    find: (name) => layers.find((layer) => layer.name === name) ?? null,
    placeOf(layer) {
      const isInside = ({ path }: LayerEntry) => path.startsWith(`${layer.path}.`);
      return Math.max(0, layer.leaf ? leaves.indexOf(layer) : leaves.findLastIndex(isInside));
    },
  };
}
