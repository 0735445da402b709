/** The legend of the filters: what the colours are of, the ends of the scale, the bounds of marks. */

import { type SpecialName, specialColours } from "./colormap";
import { h, makeImage, setText, show } from "./dom";
import { type Bank, scaleEnd } from "./filters";
import { coloursOf, type FilterLook, subjectOf } from "./filtertiles";
import { formatNumber, formatShare } from "./format";
import { LEVELS } from "./maps";
import { say } from "./words";

export interface FilterLegend {
  readonly box: HTMLElement;
  show(bank: Bank, filter: number, look: FilterLook): void;
}

const SPECIAL: readonly SpecialName[] = ["nan", "posinf", "neginf"];

export function makeFilterLegend(): FilterLegend {
  const [sentence, low, high, marks] = [new Text(), new Text(), new Text(), new Text()];
  const bar = h("canvas.ramp", { width: 256, height: 1, "aria-hidden": "true" });
  const special = h(
    "ul",
    ...SPECIAL.map((name) => {
      const sample = h("i", { style: `background:rgb(${specialColours[name]})` });
      return h("li", { "data-on": true }, sample, say(`special_${name}`));
    }),
  );
  return {
    box: h(
      "div.legend",
      h("span", sentence),
      h("span.scale", h("span", low), bar, h("span", high)),
      h("p.quiet", marks),
      special,
    ),
    show(bank, filter, look) {
      const { scale, bounds } = look;
      const { pixels, put } = makeImage(bar, 256, 1);
      pixels.set(coloursOf(bank, look).table);
      put();
      const end = scaleEnd(bank, scale, filter);
      const what = say(`subject_${subjectOf(bank)}`);
      setText(sentence, say(`filter_legend_${scale}`, { what, filter }));
      setText(low, formatNumber(bank.signed ? -end : 0));
      setText(high, formatNumber(end));
      setText(
        marks,
        say("filter_bounds", { dead: formatShare(bounds.dead, 1), twin: `${bounds.twin}` }),
      );
      show(
        special,
        bank.codes.some((code) => code > LEVELS),
      );
    },
  };
}
