/** The legend, always there: which scale is in force, its ends as numbers, the special colours. */

import { type Palette, type SpecialName, scaleRange, specialColours } from "./colormap";
import { h, makeImage, setText, show } from "./dom";
import { formatNumber } from "./format";
import type { Look } from "./gridcanvas";
import { layerExtent, type Maps, specialValues } from "./maps";
import * as words from "./words";

export interface Legend {
  readonly box: HTMLElement;
  show(data: Maps, channel: number, look: Look): void;
}

export function makeLegend(): Legend {
  const sentence = new Text();
  const [low, high] = [new Text(), new Text()];
  const centred = h("span", words.centred);
  const bar = h("canvas.ramp", { width: 256, height: 1, "aria-hidden": "true" });
  const swatches = (Object.keys(words.special) as SpecialName[]).map((name) => {
    const sample = h("i", { style: `background:rgb(${specialColours[name]})` });
    return { name, box: h("li", sample, words.special[name]) };
  });
  const box = h(
    "div.legend",
    h("span", sentence),
    h("span.scale", h("span", low), bar, h("span", high), centred),
    h("ul", ...swatches.map((swatch) => swatch.box)),
  );
  let drawn: Palette | null = null;

  const drawBar = (colours: Palette) => {
    if (drawn === colours) return;
    drawn = colours;
    const { pixels, put } = makeImage(bar, 256, 1);
    pixels.set(colours.table);
    put();
  };

  return {
    box,
    show(data, channel, { scale, colours }) {
      drawBar(colours);
      show(centred, scale.diverging);
      const own = { low: data.minimum[channel] ?? 0, high: data.maximum[channel] ?? 0 };
      const layer = layerExtent(data);
      const range = scaleRange(scale, own, layer);
      const isFixed = scale.mode === "fixed";
      const present = {
        ...specialValues(data),
        below: isFixed && layer.low < range.low,
        above: isFixed && layer.high > range.high,
      };
      setText(sentence, words.legend[scale.mode](channel));
      setText(low, formatNumber(range.low));
      setText(high, formatNumber(range.high));
      for (const { name, box } of swatches) box.toggleAttribute("data-on", present[name]);
    },
  };
}
