/** One channel large, the value under the pointer or the probe, and the facts about the channel. */

import { colourOf, scaleRange } from "./colormap";
import { h, makeImage, type On, setText } from "./dom";
import { formatExact, formatNumber, formatRank, formatShare } from "./format";
import { makeFrame, type Spot } from "./frame";
import type { Look } from "./gridcanvas";
import { extentOf, makeHistogram } from "./histogram";
import { isDead, layerExtent, type Maps } from "./maps";
import { channelOrder } from "./order";
import { makeProbe } from "./probe";
import { say } from "./words";

/** The values of a channel: exact, or what its codes tell until the exact ones are here. */
export interface ChannelValues {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly isExact: boolean;
}

export interface Detail {
  /** The map. */
  readonly map: HTMLElement;
  /** The numbers beside it. */
  readonly box: HTMLElement;
  /** Shows a channel of a layer, in the colours of the grid. */
  show(layer: string, maps: Maps, channel: number, data: ChannelValues, look: Look): void;
}

const FACTS = ["minimum", "maximum", "mean", "zeros"] as const;

export function makeDetail(on: On, onProbe: (spot: Spot | null) => void): Detail {
  const { frame, canvas, resize, mark } = makeFrame({ role: "application", tabindex: 0 });
  const title = new Text();
  const rank = new Text();
  const readout = new Text(say("readout_hint"));
  const numbers = FACTS.map((name) => {
    const number = new Text();
    return { number, box: h("div", h("dt", say(`fact_${name}`)), h("dd", number)) };
  });
  const histogram = makeHistogram();
  const remark = h("p.quiet");
  const box = h(
    "section.detail",
    h("h3", h("span", title), h("small", rank)),
    h("output.readout", readout),
    h("dl", ...numbers.map((fact) => fact.box)),
    histogram.box,
    remark,
  );
  let data: ChannelValues | null = null;

  const probe = makeProbe(
    on,
    frame,
    canvas,
    () => data,
    (aim) => {
      let text = say("readout_hint");
      if (aim && data) {
        const { values, width, isExact } = data;
        const value = values[aim.y * width + aim.x] ?? 0;
        text = say("readout", {
          y: aim.y,
          x: aim.x,
          value: isExact ? formatExact(value) : `≈ ${formatNumber(value)}`,
        });
      }
      setText(readout, text);
      const spot = aim?.spot ?? null;
      mark(spot);
      onProbe(spot);
    },
  );

  return {
    map: h("div.square", frame, h("p.quiet", say("no_map"))),
    box,
    show(layer, maps, channel, next, { scale, colours, sort }) {
      data = next;
      const { values, height, width } = next;
      const extent = extentOf(values);
      const minimum = formatNumber(maps.minimum[channel] ?? 0);
      setText(title, say("channel", { channel }));
      const place = channelOrder(maps, sort).indexOf(channel) + 1;
      const by = sort === "index" ? "" : say(`sort_${sort}`);
      setText(rank, formatRank(place, maps.channels, by));
      frame.setAttribute("aria-label", say("large", { channel, layer, height, width }));
      const facts = [
        extent ? minimum : "–",
        extent ? formatNumber(maps.maximum[channel] ?? 0) : "–",
        extent ? formatNumber(maps.mean[channel] ?? 0) : "–",
        formatShare(maps.zeros[channel] ?? 0, maps.fullHeight * maps.fullWidth),
      ];
      numbers.forEach(({ number }, i) => {
        setText(number, facts[i] ?? "");
      });
      const dead = isDead(maps, channel) ? say("all_equal", { value: minimum }) : "";
      setText(remark, extent ? dead : say("no_finite"));
      histogram.show(values);
      resize(width, height);
      const { pixels, put } = makeImage(canvas, width, height);
      const range = scaleRange(scale, extent ?? { low: 0, high: 0 }, layerExtent(maps));
      values.forEach((value, i) => {
        pixels[i] = colourOf(value, range, scale, colours);
      });
      put();
      probe.refresh();
    },
  };
}
