/** A colour bar between the two numbers that its ends stand for. */

import type { Palette } from "./colormap";
import { h, makeImage, setText, show } from "./dom";
import { formatNumber } from "./format";
import type { Extent } from "./maps";
import { say } from "./words";

export interface Ramp {
  readonly box: HTMLElement;
  show(range: Extent, colours: Palette, isCentred: boolean): void;
}

export function makeRamp(): Ramp {
  const [low, high] = [new Text(), new Text()];
  const centred = h("span", say("centred"));
  const bar = h("canvas.ramp", { width: 256, height: 1, "aria-hidden": "true" });
  let drawn: Palette | null = null;
  return {
    box: h("span.scale", h("span", low), bar, h("span", high), centred),
    show(range, colours, isCentred) {
      if (drawn !== colours) {
        drawn = colours;
        const { pixels, put } = makeImage(bar, 256, 1);
        pixels.set(colours.table);
        put();
      }
      setText(low, formatNumber(range.low));
      setText(high, formatNumber(range.high));
      show(centred, isCentred);
    },
  };
}
