/** One channel large, the value under the pointer or the probe, and the facts about the channel. */

import { colourOf, type Palette, type Scale, scaleRange } from "./colormap";
import { element, setAttributes, show, text } from "./dom";
import { formatExact, formatNumber, formatShare } from "./format";
import { extentOf, Histogram } from "./histogram";
import { type Extent, isDead, layerExtent, type Maps } from "./maps";
import { channelOrder, type SortKey } from "./order";
import { words } from "./words";

/** The values of a channel: exact, or what its codes tell until the exact ones are here. */
export interface ChannelValues {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly isExact: boolean;
}

/** A point of a map, as a share of its height and width. */
export interface Spot {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

type Fact = "minimum" | "maximum" | "mean" | "zeros";

export class Detail {
  readonly box: HTMLElement;
  readonly map: HTMLElement;
  readonly #canvas = element("canvas", { class: "cnnviz-pixels", "aria-hidden": "true" });
  readonly #cross = element("div", { class: "cnnviz-cross", hidden: true });
  readonly #frame: HTMLElement;
  readonly #title = text();
  readonly #rank = text();
  readonly #readout = text(words.readoutHint);
  readonly #facts: Readonly<Record<Fact, Text>>;
  readonly #histogram = new Histogram();
  readonly #remark = element("p", { class: "cnnviz-remark" });
  readonly #onProbe: (spot: Spot | null) => void;
  #data: ChannelValues | null = null;
  #probe: { y: number; x: number } | null = null;

  constructor(signal: AbortSignal, onProbe: (spot: Spot | null) => void) {
    this.#onProbe = onProbe;
    this.#frame = element(
      "div",
      { class: "cnnviz-frame", role: "application", tabindex: 0 },
      this.#canvas,
      this.#cross,
    );
    this.#facts = { minimum: text(), maximum: text(), mean: text(), zeros: text() };
    const rows = Object.entries(this.#facts).map(([name, value]) =>
      element("div", {}, element("dt", {}, words[name as Fact]), element("dd", {}, value)),
    );
    const title = element(
      "h3",
      {},
      element("span", {}, this.#title),
      element("small", {}, this.#rank),
    );
    this.map = element("div", { class: "cnnviz-square" }, this.#frame);
    this.box = element(
      "section",
      { class: "cnnviz-detail" },
      title,
      element("output", { class: "cnnviz-readout" }, this.#readout),
      element("dl", { class: "cnnviz-numbers" }, ...rows),
      this.#histogram.box,
      this.#remark,
    );
    this.#listen(signal);
  }

  /** Shows a channel of a layer, in the colours of the grid. */
  show(
    layer: string,
    maps: Maps,
    channel: number,
    data: ChannelValues,
    scale: Scale,
    palette: Palette,
    sort: SortKey,
  ): void {
    this.#data = data;
    this.#title.data = words.channel(channel);
    const place = channelOrder(maps, sort).indexOf(channel) + 1;
    this.#rank.data = words.rankBy(place, maps.channels, sort);
    const label = words.largeLabel(channel, layer, words.mapSize(data.height, data.width));
    setAttributes(this.#frame, { "aria-label": label });
    const pixels = maps.fullHeight * maps.fullWidth;
    const minimum = maps.minimum[channel] ?? 0;
    this.#facts.minimum.data = formatNumber(minimum);
    this.#facts.maximum.data = formatNumber(maps.maximum[channel] ?? 0);
    this.#facts.mean.data = formatNumber(maps.mean[channel] ?? 0);
    this.#facts.zeros.data = formatShare(maps.zeros[channel] ?? 0, pixels);
    const extent = extentOf(data.values);
    const remark = !extent
      ? words.noFinite
      : isDead(maps, channel)
        ? words.allEqual(formatNumber(minimum))
        : "";
    this.#remark.textContent = remark;
    show(this.#remark, remark !== "");
    this.#histogram.show(data.values);
    this.#draw(data, extent ?? { low: 0, high: 0 }, layerExtent(maps), scale, palette);
    this.#aim(this.#probe);
  }

  #draw(
    { values, height, width }: ChannelValues,
    own: Extent,
    layer: Extent,
    scale: Scale,
    palette: Palette,
  ): void {
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      this.#frame.style.aspectRatio = `${width} / ${height}`;
      this.#frame.dataset.tall = String(height > width);
    }
    const context = canvas.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer, image.data.byteOffset, width * height);
    const range = scaleRange(scale, own, layer);
    for (let i = 0; i < values.length; i++) {
      pixels[i] = colourOf(values[i] ?? 0, range, scale, palette);
    }
    context.putImageData(image, 0, 0);
  }

  /** Puts the probe on a value, or takes it away. */
  #aim(probe: { y: number; x: number } | null): void {
    const data = this.#data;
    this.#probe = probe;
    this.#cross.hidden = !probe;
    if (!probe || !data) {
      this.#readout.data = words.readoutHint;
      this.#onProbe(null);
      return;
    }
    const { height, width } = data;
    const y = Math.max(0, Math.min(height - 1, probe.y));
    const x = Math.max(0, Math.min(width - 1, probe.x));
    this.#probe = { y, x };
    const value = data.values[y * width + x] ?? 0;
    const shown = data.isExact ? formatExact(value) : `≈ ${formatNumber(value)}`;
    this.#readout.data = words.readout(y, x, shown);
    const spot = { top: y / height, left: x / width, height: 1 / height, width: 1 / width };
    placeSpot(this.#cross, spot);
    this.#onProbe(spot);
  }

  #listen(signal: AbortSignal): void {
    this.#frame.addEventListener(
      "pointermove",
      (event) => {
        const data = this.#data;
        const { left, top, width, height } = this.#canvas.getBoundingClientRect();
        if (!data || width === 0 || height === 0) return;
        const y = Math.floor(((event.clientY - top) / height) * data.height);
        const x = Math.floor(((event.clientX - left) / width) * data.width);
        this.#aim({ y, x });
      },
      { signal, passive: true },
    );
    this.#frame.addEventListener("pointerleave", () => this.#aim(null), { signal });
    this.#frame.addEventListener("blur", () => this.#aim(null), { signal });
    this.#frame.addEventListener("keydown", (event) => this.#onKey(event), { signal });
  }

  #onKey(event: KeyboardEvent): void {
    const data = this.#data;
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = { y: data.height >> 1, x: data.width >> 1 };
    const { y, x } = this.#probe ?? middle;
    const targets: Readonly<Record<string, { y: number; x: number } | null>> = {
      ArrowUp: { y: y - 1, x },
      ArrowDown: { y: y + 1, x },
      ArrowLeft: { y, x: x - 1 },
      ArrowRight: { y, x: x + 1 },
      Home: { y, x: 0 },
      End: { y, x: data.width - 1 },
      PageUp: { y: 0, x },
      PageDown: { y: data.height - 1, x },
      Escape: null,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.#aim(target && !this.#probe ? middle : target);
  }
}

/** Puts a marker over a point of a picture, whatever the picture's size. */
export function placeSpot(marker: HTMLElement, spot: Spot): void {
  Object.assign(marker.style, {
    top: `${100 * spot.top}%`,
    left: `${100 * spot.left}%`,
    height: `${100 * spot.height}%`,
    width: `${100 * spot.width}%`,
  });
}
