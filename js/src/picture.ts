/** The picture that goes in, and the choice among the pictures of the batch. */

import { rangeControl } from "./controls";
import { placeSpot, type Spot } from "./detail";
import { element, show } from "./dom";
import type { Block } from "./wire";
import { words } from "./words";

export class Picture {
  readonly box: HTMLElement;
  readonly square: HTMLElement;
  readonly chooser: HTMLElement;
  readonly #canvas = element("canvas", { role: "img", "aria-label": words.pictureLabel });
  readonly #cross = element("div", { class: "cnnviz-cross", hidden: true });
  readonly #frame: HTMLElement;
  readonly #none = element("p", { class: "cnnviz-remark", hidden: true }, words.noPicture);
  readonly #input: HTMLInputElement;
  readonly #label: HTMLElement | null;
  #batch = 1;

  constructor(signal: AbortSignal, onChoose: (image: number) => void) {
    this.#frame = element("div", { class: "cnnviz-frame" }, this.#canvas, this.#cross);
    this.square = element("div", { class: "cnnviz-square" }, this.#frame, this.#none);
    const control = rangeControl("image", words.picture, signal, (image) => {
      this.choose(image);
      onChoose(image);
    });
    this.#input = control.input;
    this.#label = control.box.querySelector("label");
    this.chooser = control.box;
    this.chooser.hidden = true;
    this.box = element("div", { class: "cnnviz-picture" }, this.square, this.chooser);
  }

  setBatch(batch: number): void {
    this.#batch = batch;
    this.#input.max = String(Math.max(0, batch - 1));
    show(this.chooser, batch > 1);
  }

  /** Names the chosen picture; its pixels come later. */
  choose(image: number): void {
    if (this.#input.valueAsNumber !== image) this.#input.value = String(image);
    const label = words.pictureOf(image + 1, this.#batch);
    if (this.#label) this.#label.textContent = label;
    this.#input.setAttribute("aria-valuetext", label);
  }

  /** Draws RGB pixels (height, width, 3); null says that there is nothing to see. */
  draw(rgb: Block | null): void {
    const [height = 0, width = 0] = rgb?.shape ?? [];
    const isThere = rgb !== null && height > 0 && width > 0;
    show(this.#frame, isThere);
    show(this.#none, !isThere);
    if (!isThere) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#frame.style.aspectRatio = `${width} / ${height}`;
    this.#frame.dataset.tall = String(height > width);
    this.#canvas.className = width < 160 ? "cnnviz-pixels" : "";
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    for (let i = 0, at = 0; i < width * height; i++) {
      image.data[4 * i] = rgb.data[at++] ?? 0;
      image.data[4 * i + 1] = rgb.data[at++] ?? 0;
      image.data[4 * i + 2] = rgb.data[at++] ?? 0;
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  /** Marks the place that a point of a map stands over. */
  mark(spot: Spot | null): void {
    this.#cross.hidden = !spot;
    if (spot) placeSpot(this.#cross, spot);
  }
}
