/** The network a view browses: its layers in execution order, and where they stand on the slider. */

import type { LayerEntry } from "./traits";

/** @typeParam T what the widget knows of a layer */
export interface Network<T extends LayerEntry = LayerEntry> {
  readonly leaves: readonly T[];
  /** The layer of this name, or null. */
  find(name: string): T | null;
  /** Place on the slider; that of a container is its last layer's, whose output is often its own. */
  placeOf(layer: T): number;
}

export function makeNetwork<T extends LayerEntry = LayerEntry>({
  layers,
}: {
  readonly layers: readonly T[];
}): Network<T> {
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

/**
 * Where a slide to `to` ends: there, or beyond, where only some layers can be shown. Beyond is the
 * direction that the slide came from; at the end of the network it turns.
 */
export function stepOver<T>(
  leaves: readonly T[],
  from: number,
  to: number,
  isOpen: (leaf: T) => boolean,
): T | null {
  const after = leaves.find((leaf, place) => place >= to && isOpen(leaf));
  const before = leaves.findLast((leaf, place) => place <= to && isOpen(leaf));
  return (to < from ? (before ?? after) : (after ?? before)) ?? null;
}
