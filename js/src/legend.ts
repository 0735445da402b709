/** The legend, always there: which scale is in force, its ends as numbers, the special colours. */

import { type Palette, type Scale, type SpecialName, scaleRange, specialColours } from "./colormap";
import { h, makeImage, show } from "./dom";
import { formatNumber } from "./format";
import { extentOf } from "./histogram";
import { type Extent, type LayerData, layerExtent, specialValues } from "./maps";
import { words } from "./words";

export interface Legend {
  readonly box: HTMLElement;
  show(data: LayerData, channel: number, scale: Scale, colours: Palette): void;
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
    show(data, channel, scale, colours) {
      const isMaps = data.is === "maps";
      show(box, data.is !== "ask");
      show(bar, isMaps);
      show(centred, isMaps && scale.diverging);
      let range: Extent = { low: 0, high: 0 };
      const present: Partial<Record<SpecialName, boolean>> = {};
      if (isMaps) {
        drawBar(colours);
        const own = { low: data.minimum[channel] ?? 0, high: data.maximum[channel] ?? 0 };
        const layer = layerExtent(data);
        range = scaleRange(scale, own, layer);
        const isFixed = scale.mode === "fixed";
        present.below = isFixed && layer.low < range.low;
        present.above = isFixed && layer.high > range.high;
        Object.assign(present, specialValues(data));
      } else if (data.is === "vector") range = extentOf(data.values) ?? range;
      sentence.data = isMaps ? words.legend[scale.mode](channel) : words.legend.vector();
      low.data = formatNumber(range.low);
      high.data = isMaps ? formatNumber(range.high) : words.upTo(formatNumber(range.high));
      for (const swatch of swatches) {
        swatch.box.toggleAttribute("data-on", present[swatch.name] === true);
      }
    },
  };
}
