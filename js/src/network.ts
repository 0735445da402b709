/** The network a view browses: its layers in execution order, and where they stand on the slider. */

import type { Index, LayerEntry } from "./traits";

export class Network {
  readonly leaves: readonly LayerEntry[];
  readonly #byName: ReadonlyMap<string, LayerEntry>;

  constructor(readonly index: Index) {
    const leaves = index.layers.filter(({ leaf, index: place }) => leaf && place >= 0);
    this.leaves = leaves.sort((a, b) => a.index - b.index);
    this.#byName = new Map(index.layers.map((layer) => [layer.name, layer]));
  }

  /** The layer of this name, or the first one, or null if there is none at all. */
  find(name: string): LayerEntry | null {
    return this.#byName.get(name) ?? this.leaves[0] ?? this.index.layers[0] ?? null;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Place on the slider; that of a container is its last layer's, whose output is often its own. */
  placeOf(layer: LayerEntry): number {
    if (layer.leaf) return layer.index;
    const inside = this.leaves.filter(({ path }) => path.startsWith(`${layer.path}.`));
    return inside.at(-1)?.index ?? this.leaves[0]?.index ?? 0;
  }
}

const NOTHING: Index = {
  epoch: 0,
  model: "",
  batch: 1,
  layers: [],
  classes: null,
  notices: [],
};

/** The index as Python sent it; an empty one where it is not here yet. */
export function readIndex(value: Partial<Index> | undefined): Index {
  return { ...NOTHING, ...value };
}
