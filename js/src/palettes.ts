/** The colormaps that a reader can choose from, by name. */

import colormaps from "../../cnnviz_widgets/rendering/colormaps.json";
import { isDiverging, makePalette, type Palette } from "./colormap";
import { say } from "./words";

type TableName = Exclude<keyof typeof colormaps, "special">;

export const colormapNames: readonly TableName[] = Object.keys(colormaps).filter(
  (name): name is TableName => name !== "special",
);

/** What a colormap is called, and what its middle stands for where it has one. */
export function colormapTitle(name: string): string {
  return isDiverging(name) ? say("colormap_centred", { name }) : name;
}

const palettes = new Map<string, Palette>();

/** The colours of a colormap; of the first one if there is none of this name. */
export function palette(name: string): Palette {
  const known = palettes.get(name);
  if (known) return known;
  const key = colormapNames.find((candidate) => candidate === name) ?? "viridis";
  const made = makePalette(colormaps[key]);
  palettes.set(name, made);
  return made;
}
