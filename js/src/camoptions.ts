/** How the CamSlider draws: method, scale, opacity and threshold; smoothness and colours fold away. */

import type { CamScale } from "./cammaps";
import type { CamLook, CamMethod } from "./camtraits";
import { isDiverging } from "./colormap";
import { folded, inputControl, selectControl, sliderControl } from "./controls";
import { h, type On, setText } from "./dom";
import { formatShare } from "./format";
import { colormapNames } from "./palettes";
import { say } from "./words";

const SCALES = ["rectified", "signed", "map"] as const;

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
  const method = selectControl("method", say("method"), titles, on, onMethod);
  const scales = SCALES.map((name) => [name, say(`cam_scale_${name}`)] as const);
  const scale = selectControl("scale", say("scale"), scales, on, (value) =>
    onChange({ scale: value as CamScale }),
  );
  const share = [0, 1, 0.01] as const;
  const opacity = sliderControl("opacity", say("opacity"), share, on, (value) =>
    onChange({ opacity: value }),
  );
  const threshold = sliderControl("threshold", say("threshold"), share, on, (value) =>
    onChange({ threshold: value }),
  );
  const smooth = inputControl("checkbox", "smooth", say("smooth"), on, ({ checked }) =>
    onChange({ smooth: checked }),
  );
  const maps = colormapNames
    .filter((name) => !isDiverging(name))
    .map((name) => [name, name] as const);
  const colormap = selectControl("colormap", say("colormap"), maps, on, (name) =>
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
      folded([colormap, smooth], h("p.quiet", say("signed_colours")), h("p.quiet", about)),
    ),
    show(look) {
      scale.input.value = look.scale;
      opacity.set(look.opacity, formatShare(look.opacity, 1));
      threshold.set(
        look.threshold,
        look.threshold ? formatShare(look.threshold, 1) : say("no_threshold"),
      );
      smooth.input.checked = look.smooth;
      colormap.input.value = look.colormap;
    },
    chooseMethod({ name, title, summary, passes, paper }) {
      method.input.value = name;
      setText(about, say("about_cam", { title, summary, passes, paper }));
    },
  };
}
