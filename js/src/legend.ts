/** The legend, always there: which scale is in force, its ends as numbers, the special colours. */

import { type SpecialName, scaleRange, specialColours } from "./colormap";
import { h, setAttributes, setText } from "./dom";
import type { Look } from "./gridcanvas";
import { layerExtent, type Maps, specialValues } from "./maps";
import { makeRamp } from "./ramp";
import { say } from "./words";

export interface Legend {
  readonly box: HTMLElement;
  show(data: Maps, channel: number, look: Look): void;
}

export function makeLegend(): Legend {
  const sentence = new Text();
  const ramp = makeRamp();
  const swatches = (Object.keys(specialColours) as SpecialName[]).map((name) => {
    const sample = h("i", { style: `background:rgb(${specialColours[name]})` });
    return { name, box: h("li", sample, say(`special_${name}`)) };
  });
  const box = h(
    "div.legend",
    h("span", sentence),
    ramp.box,
    h("ul", ...swatches.map((swatch) => swatch.box)),
  );
  return {
    box,
    show(data, channel, { scale, colours }) {
      const own = { low: data.minimum[channel] ?? 0, high: data.maximum[channel] ?? 0 };
      const layer = layerExtent(data);
      const range = scaleRange(scale, own, layer);
      const isFixed = scale.mode === "fixed";
      const present = {
        ...specialValues(data),
        below: isFixed && layer.low < range.low,
        above: isFixed && layer.high > range.high,
      };
      setText(sentence, say(`legend_${scale.mode}`, { channel }));
      ramp.show(range, colours, scale.diverging);
      for (const { name, box } of swatches) setAttributes(box, { "data-on": present[name] });
    },
  };
}
