/** How the CamSlider draws: method, scale, opacity and threshold; smoothness and colours fold away. */

import type { CamScale } from "./cammaps";
import type { CamLook, CamMethod } from "./camtraits";
import { isDiverging } from "./colormap";
import { inputControl, selectControl, sliderControl } from "./controls";
import { h, type On, setText } from "./dom";
import { colormapNames } from "./palettes";
import * as shared from "./words";
import * as words from "./words-cam";

export interface CamOptions {
  readonly box: HTMLElement;
  show(look: CamLook): void;
  chooseMethod(method: CamMethod): void;
}

export function makeCamOptions(
  on: On,
  methods: readonly CamMethod[],
  onMethod: (name: string) => void,
  onChange: (change: Partial<CamLook>) => void,
): CamOptions {
  const titles = methods.map(({ name, title }) => [name, title] as const);
  const method = selectControl("method", words.method, titles, on, onMethod);
  const scale = selectControl("scale", words.scale, Object.entries(words.scales), on, (value) =>
    onChange({ scale: value as CamScale }),
  );
  const share = [0, 1, 0.01] as const;
  const opacity = sliderControl("opacity", words.opacity, share, on, (value) =>
    onChange({ opacity: value }),
  );
  const threshold = sliderControl("threshold", words.threshold, share, on, (value) =>
    onChange({ threshold: value }),
  );
  const smooth = inputControl("checkbox", "smooth", words.smooth, on, ({ checked }) =>
    onChange({ smooth: checked }),
  );
  const maps = colormapNames
    .filter((name) => !isDiverging(name))
    .map((name) => [name, name] as const);
  const colormap = selectControl("colormap", words.colormap, maps, on, (name) =>
    onChange({ colormap: name }),
  );
  const about = new Text();
  return {
    box: h(
      "div.look",
      method.box,
      scale.box,
      opacity.box,
      threshold.box,
      h(
        "details",
        h("summary", shared.view),
        h("div.options", colormap.box, smooth.box),
        h("p.quiet", words.signedColours),
        h("p.quiet", about),
      ),
    ),
    show(look) {
      scale.input.value = look.scale;
      opacity.set(look.opacity, words.share(look.opacity));
      threshold.set(look.threshold, look.threshold ? words.share(look.threshold) : words.none);
      smooth.input.checked = look.smooth;
      colormap.input.value = look.colormap;
    },
    chooseMethod({ name, title, summary, passes, paper }) {
      method.input.value = name;
      setText(about, `${title}: ${summary} ${words.needs(passes)} ${paper}`);
    },
  };
}
