/** The picture that goes in, and the choice among those of the batch. */

import { inputControl } from "./controls";
import { h, makeImage, type On, setText, show } from "./dom";
import { makeFrame, type Spot } from "./frame";
import { paintRgb } from "./rgb";
import type { Frame } from "./wire";
import { say } from "./words";

export interface InputPicture {
  readonly box: HTMLElement;
  /** Names the chosen picture; its pixels come later. */
  choose(image: number, batch: number): void;
  /** Shows a frame of kind "input". */
  show(frame: Frame): void;
  /** Marks the place that a point of a map stands over. */
  mark(spot: Spot | null): void;
}

export function makeInputPicture(on: On, onChoose: (image: number) => void): InputPicture {
  const { frame, canvas, resize, mark } = makeFrame({ role: "img", "aria-label": say("picture") });
  const none = h("p.quiet", { hidden: true }, say("no_picture"));
  const { box, label, input } = inputControl("range", "image", "", on, () =>
    onChoose(input.valueAsNumber),
  );
  const picture = h("div.picture", h("div.square", frame, none), box);
  let chosen = 0;
  return {
    box: picture,
    mark,
    choose(image, batch) {
      if (image !== chosen) picture.dataset.stale = "";
      chosen = image;
      input.max = `${batch - 1}`;
      input.value = `${image}`;
      setText(label, say("picture_of", { place: image + 1, count: batch }));
      input.setAttribute("aria-valuetext", label.textContent);
      show(box, batch > 1);
    },
    show({ arrays: { rgb } }) {
      delete picture.dataset.stale;
      show(frame, rgb !== undefined);
      show(none, rgb === undefined);
      if (!rgb) return;
      const [height = 0, width = 0] = rgb.shape;
      resize(width, height);
      const { pixels, put } = makeImage(canvas, width, height);
      paintRgb(pixels, rgb.data);
      put();
    },
  };
}
