/** A LayerBrowser in the page of a test. */

import { vi } from "vitest";
import type { BrowserTraits } from "../src/layertraits";
import widget from "../src/widgets/layer-browser";
import { FakeModel } from "./model";
import { show } from "./viewpage";

/** The stage of the layer's output; that of its input stands before it, hidden. */
export const STAGE = '[aria-label="Output of the layer"]';

export function open(
  traits: Partial<BrowserTraits> = {},
  model = new FakeModel(traits),
): FakeModel {
  show(widget, model.model);
  return model;
}

/** A view with its first layer, its picture and its channel on the screen. */
export function opened(traits: Partial<BrowserTraits> = {}): FakeModel {
  const model = open(traits);
  model.answerAll();
  vi.advanceTimersByTime(100);
  return model;
}
