/** A map over its picture, the value under the pointer, and the legend with the scale in force. */

import { extentIn, type Form, percentileOf, sortedSizes, valuesIn } from "./clipping";
import { isDiverging } from "./colormap";
import { h, makeImage, type On, setAttributes, setText, show } from "./dom";
import { enlargement, enlargePicture } from "./enlarge";
import { formatExact, formatNumber } from "./format";
import { makeFrame } from "./frame";
import { paintOverlay, paintPicture, resizeField } from "./overlay";
import { palette } from "./palettes";
import { makeProbe } from "./probe";
import type { ValueMap } from "./saliencymap";
import type { SaliencyLook } from "./saliencytraits";
import type { Block } from "./wire";
import { say } from "./words";

export interface SaliencyView {
  readonly box: HTMLElement;
  /** Draws at once what there is; false if there is no map. */
  draw(
    map: ValueMap | null,
    picture: Block | null,
    look: SaliencyLook,
    form: Form,
    title: string,
  ): boolean;
}

/** The colours of signed values, where the reader has not chosen others that have a middle. */
const DIVERGING = "coolwarm";

/** A map as it is drawn. */
interface Drawn {
  readonly map: ValueMap;
  readonly key: string;
  readonly values: Float32Array;
  /** Sizes of the values at the picture's own size, in order, for the clipping. */
  readonly sizes: Float32Array;
}

function makeLegend() {
  const sentence = new Text();
  const [low, high] = [new Text(), new Text()];
  const bar = h("canvas.ramp", { width: 256, height: 1, "aria-hidden": "true" });
  const scale = h("span.scale", h("span", low), bar, h("span", high));
  const box = h("div.legend", h("span", sentence), scale);
  let drawn = "";
  return {
    box,
    show(form: Form, percentile: number, end: number, colormap: string) {
      const fields = { values: say(`legend_${form}`), percentile, end: formatNumber(end) };
      setText(sentence, say(percentile < 100 ? "legend_clipped" : "legend_whole", fields));
      setText(low, formatNumber(extentIn(form, end).low));
      setText(high, formatNumber(end));
      if (drawn === colormap) return;
      drawn = colormap;
      const { pixels, put } = makeImage(bar, 256, 1);
      pixels.set(palette(colormap).table);
      put();
    },
  };
}

export function makeSaliencyView(on: On): SaliencyView {
  const { frame, canvas, resize, mark } = makeFrame({
    role: "application",
    tabindex: 0,
    hidden: true,
  });
  const none = h("p.quiet", say("no_map_yet"));
  const readout = new Text(say("readout_hint"));
  const legend = makeLegend();
  let last: Drawn | null = null;
  let shown: { readonly picture: Block; readonly large: Block["data"] } | null = null;

  const probe = makeProbe(
    on,
    frame,
    canvas,
    () => last?.map ?? null,
    (aim) => {
      mark(aim?.spot ?? null);
      if (!aim || !last) return setText(readout, say("readout_hint"));
      const { y, x } = aim;
      const { values, width, isExact } = last.map;
      const value = values[y * width + x] ?? 0;
      const text = isExact ? formatExact(value) : `≈ ${formatNumber(value)}`;
      setText(readout, say("readout", { y, x, value: text }));
    },
  );

  /** The map and the picture as they are drawn, made anew only when what they depend on changes. */
  const prepare = (map: ValueMap, form: Form, height: number, width: number, smooth: boolean) => {
    const key = `${form} ${height} ${width} ${smooth}`;
    if (last?.map === map && last.key === key) return last;
    const chosen = { ...map, values: valuesIn(form, map.values) };
    const fitted = resizeField(chosen, height, width, smooth);
    const times = enlargement(height, width);
    const values = times > 1 ? resizeField(chosen, times * height, times * width, smooth) : fitted;
    last = { map, key, values, sizes: sortedSizes(fitted) };
    return last;
  };

  /** Draws a map over what there is of the picture, and says what its colours stand for. */
  const paint = (
    pixels: Uint32Array,
    rgb: Block["data"] | null,
    { values, sizes }: Drawn,
    look: SaliencyLook,
    form: Form,
  ) => {
    const colormap = form === "signed" && !isDiverging(look.colormap) ? DIVERGING : look.colormap;
    const end = percentileOf(sizes, look.percentile);
    paintOverlay(pixels, values, rgb, {
      colours: palette(colormap),
      range: extentIn(form, end),
      diverging: form === "signed",
      opacity: { both: look.opacity, picture: 0, map: 1 }[look.show],
      threshold: 0,
    });
    legend.show(form, look.percentile, end, colormap);
  };

  const enlarge = (picture: Block, times: number) => {
    if (shown?.picture !== picture) {
      shown = { picture, large: enlargePicture(picture, times).data };
    }
    return shown.large;
  };

  const box = h(
    "div.overlay",
    { "data-empty": true },
    h("div.square", frame, none),
    h("output.readout", readout),
    legend.box,
  );

  return {
    box,
    draw(map, picture, look, form, title) {
      const [height = map?.height ?? 0, width = map?.width ?? 0] = picture?.shape ?? [];
      const isShown = map !== null || picture !== null;
      show(frame, isShown);
      show(none, !isShown);
      setAttributes(box, { "data-empty": map === null });
      if (!isShown) {
        last = null;
        return false;
      }
      const times = enlargement(height, width);
      resize(times * width, times * height);
      canvas.style.imageRendering = look.smooth || times > 1 ? "" : "pixelated";
      const { pixels, put } = makeImage(canvas, times * width, times * height);
      const rgb = picture && enlarge(picture, times);
      if (map) {
        paint(pixels, rgb, prepare(map, form, height, width, look.smooth), look, form);
        frame.setAttribute(
          "aria-label",
          say("map_of", { name: title, height: map.height, width: map.width }),
        );
      } else {
        last = null;
        if (rgb) paintPicture(pixels, rgb);
      }
      put();
      probe.refresh();
      return map !== null;
    },
  };
}
