// @vitest-environment jsdom
/** Each widget in Chinese: nothing that it shows or reads out is left in English. */

import type { RenderProps } from "@anywidget/types";
import { describe, expect, it, vi } from "vitest";
import type { SharedTraits } from "../../src/traits";
import camSlider from "../../src/widgets/cam-slider";
import filterGrid from "../../src/widgets/filter-grid";
import imagePicker from "../../src/widgets/image-picker";
import layerBrowser from "../../src/widgets/layer-browser";
import saliencyOverlay from "../../src/widgets/saliency-overlay";
import { CamModel } from "../cammodel";
import { FilterModel } from "../filtermodel";
import { FakeModel, type WidgetModel } from "../model";
import { PickerModel } from "../pickermodel";
import { SaliencyFake } from "../saliencymodel";
import { root, show } from "../viewpage";

const CHINESE = { _language: "zh" };

/** Names that no language changes; those of layers, classes and methods are the fake kernels'. */
const NAMES = [
  ...["stem", "body", "conv", "relu", "head", "Conv2d", "ant", "bee", "cat", "dog"],
  ...["GRADCAM", "LAYERCAM", "SCORECAM", "RISE", "Grad", "CAM", "arXiv", "Softmax", "logit"],
  ...["viridis", "magma", "cividis", "gray", "coolwarm", "FilterGrid", "model", "pictures"],
  ...["PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF", "Ctrl"],
];
/** What the fake kernels tell in English alone. */
const TOLD = /in training mode|1 forward|What it (is|shows)\.|Gradient|Guided backpropagation/g;

const SPOKEN = ["aria-label", "aria-valuetext", "placeholder", "title", "label", "data-mark"];

/** All that a view shows or reads out. */
function saidIn(view: Element): string[] {
  const said = [...view.querySelectorAll("*")].flatMap((element) => [
    ...[...element.childNodes].flatMap((node) => (node.nodeType === 3 ? [node.nodeValue] : [])),
    ...SPOKEN.map((name) => element.getAttribute(name)),
  ]);
  return said.filter((text): text is string => !!text?.trim());
}

/** Words of more than two Latin letters that are no names. */
function english(view: Element): string[] {
  const words = saidIn(view).flatMap(
    (text) => text.replace(TOLD, "").match(/[A-Za-z]\w{2,}/g) ?? [],
  );
  return [...new Set(words)].filter((word) => !NAMES.includes(word));
}

/** Lets a fake kernel answer until nothing more is asked. */
function settle(model: { answerAll(): void }): void {
  for (let round = 0; round < 4; round++) {
    model.answerAll();
    vi.advanceTimersByTime(400);
  }
}

const cam = (traits: object) => {
  const model = new CamModel(traits);
  return Object.assign(model, { answerAll: () => model.answerEverything() });
};

const WIDGETS = {
  "layer-browser": [layerBrowser, (traits: object) => new FakeModel(traits), "层"],
  "cam-slider": [camSlider, cam, "类别"],
  "saliency-overlay": [saliencyOverlay, (traits: object) => new SaliencyFake(traits), "取值"],
  "filter-grid": [filterGrid, (traits: object) => new FilterModel(traits), "滤波器"],
  "image-picker": [imagePicker, (traits: object) => new PickerModel(traits), "示例图片"],
} as const;

type AnyFake = WidgetModel<SharedTraits> & { answerAll(): void };
type AnyWidget = { render(props: RenderProps<SharedTraits>): () => void };

describe.each(Object.entries(WIDGETS))("%s", (_, [widget, make, term]) => {
  const open = (traits: object) => {
    const model = make(traits) as unknown as AnyFake;
    show(widget as unknown as AnyWidget, model.model);
    settle(model);
    return model;
  };

  it("speaks Chinese and nothing else", () => {
    open(CHINESE);
    expect(root().lang).toBe("zh-Hans");
    expect(root().textContent).toContain(term);
    expect(english(root())).toEqual([]);
  });

  it("says in Chinese that no kernel answers", () => {
    const model = make(CHINESE) as unknown as AnyFake;
    show(widget as unknown as AnyWidget, model.model);
    vi.advanceTimersByTime(3000);
    expect(root().dataset.state).toBe("static");
    expect(english(root())).toEqual([]);
  });

  it("changes its language while it is on the screen", () => {
    const model = open({});
    expect(root().lang).toBe("en");
    model.set("_language", "zh");
    settle(model);
    expect(document.querySelectorAll(".cnnviz")).toHaveLength(1);
    expect(root().lang).toBe("zh-Hans");
    expect(english(root())).toEqual([]);
    model.set("_language", "en");
    settle(model);
    expect(root().textContent).not.toContain(term);
  });

  it("leaves nothing behind when it ends after a change of language", () => {
    const model = make({}) as unknown as AnyFake;
    const el = document.body.appendChild(document.createElement("div"));
    const end = (widget as unknown as AnyWidget).render({
      model: model.model,
      el,
    } as unknown as RenderProps<SharedTraits>);
    model.set("_language", "zh");
    end();
    expect(model.listeners).toBe(0);
    expect(el.childElementCount).toBe(0);
  });
});
