/** A SaliencyOverlay in the page of a test. */

import { palette } from "../src/palettes";
import type { SaliencyTraits } from "../src/saliencytraits";
import widget from "../src/widgets/saliency-overlay";
import { SaliencyFake } from "./saliencymodel";
import { control, one, page, panels, show } from "./viewpage";

export function open(traits: Partial<SaliencyTraits> = {}, model = new SaliencyFake(traits)) {
  show(widget, model.model);
  return model;
}

/** A view whose picture and maps are on the screen. */
export function opened(traits: Partial<SaliencyTraits> = {}): SaliencyFake {
  const model = open(traits);
  model.answerAll();
  return model;
}

export const two = (): Partial<SaliencyTraits> => ({
  panels: [{ method: "gradient" }, { method: "rise" }],
});

export function panel(place = 0): HTMLElement {
  const found = panels()[place];
  if (!found) throw new Error(`no panel ${place}`);
  return found;
}

export function set(name: string, value: string, within?: ParentNode): void {
  const input = control(name, within);
  if (input.type === "checkbox") input.checked = value === "true";
  else input.value = value;
  for (const event of ["input", "change"]) input.dispatchEvent(new Event(event, { bubbles: true }));
}

/** Red, green and blue at the two ends of the canvas of a panel, whose picture is 1 x 2 pixels. */
export function pixels(place = 0): number[][] {
  const image = page.put.get(one<HTMLCanvasElement>(".cnnviz-frame canvas", panel(place)));
  const bytes = [...(image?.data ?? [])];
  return [0, bytes.length - 4].map((at) => bytes.slice(at, at + 3));
}

export function colour(name: string, row: number): number[] {
  const packed = palette(name).table[row] ?? 0;
  return [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
}

export const legend = (place = 0) => one(".cnnviz-legend", panel(place)).textContent;
export const status = (place = 0) =>
  one(".cnnviz-progress [role=status]", panel(place)).textContent;
