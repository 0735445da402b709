/** One channel large, the value under the pointer or the probe, and the facts about the channel. */

import { colourOf, scaleRange } from "./colormap";
import { type Attributes, h, makeImage, type On, onKeys, setText, show } from "./dom";
import { formatExact, formatNumber, formatShare } from "./format";
import type { Look } from "./gridcanvas";
import { extentOf, makeHistogram } from "./histogram";
import { isDead, layerExtent, type Maps } from "./maps";
import { channelOrder } from "./order";
import * as words from "./words";

/** The values of a channel: exact, or what its codes tell until the exact ones are here. */
export interface ChannelValues {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly isExact: boolean;
}

/** A point of a map, as shares of its height and width: top, left, height, width. */
export type Spot = readonly [number, number, number, number];

export interface Detail {
  /** The map. */
  readonly map: HTMLElement;
  /** The numbers beside it. */
  readonly box: HTMLElement;
  /** Shows a channel of a layer, in the colours of the grid. */
  show(layer: string, maps: Maps, channel: number, data: ChannelValues, look: Look): void;
}

/** A canvas that keeps the shape of its picture in a square, and a marker over it. */
export function makeFrame(attributes: Attributes = {}): {
  frame: HTMLElement;
  canvas: HTMLCanvasElement;
  resize(width: number, height: number): void;
  mark(spot: Spot | null): void;
} {
  const canvas = h("canvas");
  const cross = h("div.cross", { hidden: true });
  const frame = h("div.frame", attributes, canvas, cross);
  return {
    frame,
    canvas,
    resize(width, height) {
      if (canvas.width === width && canvas.height === height) return;
      canvas.width = width;
      canvas.height = height;
      frame.style.aspectRatio = `${width}/${height}`;
      frame.dataset.tall = `${height > width}`;
      // Enlarged, values must stay what they are; a large picture looks better smooth.
      canvas.style.imageRendering = width < 160 ? "pixelated" : "";
    },
    mark(spot) {
      show(cross, spot !== null);
      if (!spot) return;
      const [top, left, height, width] = spot.map((share) => `${100 * share}%`);
      Object.assign(cross.style, { top, left, height, width });
    },
  };
}

export function makeDetail(on: On, onProbe: (spot: Spot | null) => void): Detail {
  const { frame, canvas, resize, mark } = makeFrame({ role: "application", tabindex: 0 });
  const title = new Text();
  const rank = new Text();
  const readout = new Text(words.readoutHint);
  const numbers = words.facts.map((name) => {
    const number = new Text();
    return { number, box: h("div", h("dt", name), h("dd", number)) };
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
  let probe: readonly [y: number, x: number] | null = null;

  /** Puts the probe on a value, or takes it away. */
  const aim = (y: number, x: number, isOn = true) => {
    probe = null;
    let spot: Spot | null = null;
    if (isOn && data) {
      const { values, height, width, isExact } = data;
      const row = Math.max(0, Math.min(height - 1, y));
      const column = Math.max(0, Math.min(width - 1, x));
      probe = [row, column];
      spot = [row / height, column / width, 1 / height, 1 / width];
      const value = values[row * width + column] ?? 0;
      const text = isExact ? formatExact(value) : `≈ ${formatNumber(value)}`;
      setText(readout, words.readout(row, column, text));
    } else setText(readout, words.readoutHint);
    mark(spot);
    onProbe(spot);
  };
  const leave = () => aim(0, 0, false);

  on(frame, "pointermove", ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    if (!data || !width || !height) return;
    const y = Math.floor(((clientY - top) / height) * data.height);
    aim(y, Math.floor(((clientX - left) / width) * data.width));
  });
  on(frame, "pointerleave", leave);
  on(frame, "blur", leave);
  onKeys(on, frame, (key) => {
    if (!data) return false;
    const { height, width } = data;
    const middle = [height >> 1, width >> 1] as const;
    const [y, x] = probe ?? middle;
    const targets: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [y - 1, x],
      ArrowDown: [y + 1, x],
      ArrowLeft: [y, x - 1],
      ArrowRight: [y, x + 1],
      Home: [y, 0],
      End: [y, width],
      PageUp: [0, x],
      PageDown: [height, x],
    };
    const target = targets[key];
    if (target) aim(...(probe ? target : middle));
    else if (key === "Escape") leave();
    return target !== undefined;
  });

  return {
    map: h("div.square", frame, h("p.quiet", words.noMap)),
    box,
    show(layer, maps, channel, next, { scale, colours, sort }) {
      data = next;
      const { values, height, width } = next;
      const extent = extentOf(values);
      const minimum = formatNumber(maps.minimum[channel] ?? 0);
      setText(title, words.channel(channel));
      const place = channelOrder(maps, sort).indexOf(channel) + 1;
      setText(rank, words.rank(place, maps.channels, sort));
      frame.setAttribute("aria-label", words.large(channel, layer, height, width));
      const facts = [
        extent ? minimum : "–",
        extent ? formatNumber(maps.maximum[channel] ?? 0) : "–",
        extent ? formatNumber(maps.mean[channel] ?? 0) : "–",
        formatShare(maps.zeros[channel] ?? 0, maps.fullHeight * maps.fullWidth),
      ];
      numbers.forEach(({ number }, i) => {
        setText(number, facts[i] ?? "");
      });
      const dead = isDead(maps, channel) ? words.allEqual(minimum) : "";
      setText(remark, extent ? dead : words.noFinite);
      histogram.show(values);
      resize(width, height);
      const { pixels, put } = makeImage(canvas, width, height);
      const range = scaleRange(scale, extent ?? { low: 0, high: 0 }, layerExtent(maps));
      values.forEach((value, i) => {
        pixels[i] = colourOf(value, range, scale, colours);
      });
      put();
      if (probe) aim(...probe);
    },
  };
}
