/** How maps are drawn: the controls that are always there, and those that fold away. */

import type { Form } from "./clipping";
import { folded, inputControl, selectControl, sliderControl } from "./controls";
import { h, type On, setText, show } from "./dom";
import { formatShare } from "./format";
import { colormapNames, colormapTitle } from "./palettes";
import type { SaliencyLook } from "./saliencytraits";
import { say } from "./words";

export interface SaliencyOptions {
  readonly box: HTMLElement;
  /** Shows the look in force. */
  show(look: SaliencyLook): void;
  /** Takes which values the methods shown usually draw, to be named as that. */
  setUsual(forms: readonly Form[]): void;
  /** Takes the layers that a CAM can be asked at. */
  setLayers(names: readonly string[]): void;
  /** Shows the layer chosen; `isUsed` tells whether any method is at a layer. */
  chooseLayer(layer: string | null, isUsed: boolean): void;
}

const SHOWS = ["both", "picture", "map"] as const;
const FORMS = ["usual", "absolute", "signed", "positive"] as const;
/** Percentiles below this one clip what is to be seen. */
const LEAST_PERCENTILE = 80;

export function makeSaliencyOptions(
  on: On,
  onChange: (change: Partial<SaliencyLook>) => void,
  onLayer: (layer: string | null) => void,
): SaliencyOptions {
  const shows = SHOWS.map((name) => [name, say(`show_${name}`)] as const);
  const shown = selectControl("show", say("show"), shows, on, (value) =>
    onChange({ show: value as SaliencyLook["show"] }),
  );
  const opacity = sliderControl("opacity", say("opacity"), [0, 1, 0.01], on, (value) =>
    onChange({ opacity: value }),
  );
  const forms = FORMS.map((name) => [name, say(`form_${name}`)] as const);
  const form = selectControl("form", say("form"), forms, on, (value) =>
    onChange({ form: value as SaliencyLook["form"] }),
  );
  const percentiles = [LEAST_PERCENTILE, 100, 0.5] as const;
  const percentile = sliderControl("percentile", say("clip"), percentiles, on, (value) =>
    onChange({ percentile: value }),
  );
  const smooth = inputControl("checkbox", "smooth", say("smooth"), on, ({ checked }) =>
    onChange({ smooth: checked }),
  );
  const maps = colormapNames.map((name) => [name, colormapTitle(name)] as const);
  const colormap = selectControl("colormap", say("colormap"), maps, on, (name) =>
    onChange({ colormap: name }),
  );
  const layer = selectControl("layer", say("cam_layer"), [], on, (name) => onLayer(name || null));
  return {
    box: h(
      "div.look",
      shown.box,
      opacity.box,
      form.box,
      percentile.box,
      folded([colormap, smooth, layer]),
    ),
    show(look) {
      shown.input.value = look.show;
      opacity.set(look.opacity, formatShare(look.opacity, 1));
      opacity.input.disabled = look.show !== "both";
      form.input.value = look.form;
      const clip = look.percentile < 100 ? "clip_at" : "clip_nothing";
      percentile.set(look.percentile, say(clip, { percentile: look.percentile }));
      smooth.input.checked = look.smooth;
      colormap.input.value = look.colormap;
    },
    setUsual(list) {
      const only = new Set(list).size === 1 ? list[0] : null;
      for (const option of form.input.options) {
        if (option.value === "usual")
          setText(
            option,
            only ? say("usual_one", { form: say(`form_${only}`) }) : say("usual_each"),
          );
        else option.hidden = option.value === only && form.input.value !== only;
      }
    },
    setLayers(names) {
      const named = names.map((name) => h("option", { value: name }, name));
      layer.input.replaceChildren(h("option", { value: "" }, say("last_layer")), ...named);
    },
    chooseLayer(name, isUsed) {
      show(layer.box, isUsed);
      layer.input.value = name ?? "";
    },
  };
}
