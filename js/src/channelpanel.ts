/** The chosen channel: its map, its numbers, and the legend; exact as soon as the kernel has sent it. */

import { type ChannelValues, makeDetail } from "./detail";
import { type On, setAttributes } from "./dom";
import type { Spot } from "./frame";
import type { Look } from "./gridcanvas";
import { extentOf } from "./histogram";
import { makeLegend } from "./legend";
import { channelValues, type LayerData, type Maps } from "./maps";
import { type FrameKey, makeStore } from "./store";
import type { Frame } from "./wire";

export interface ChannelPanel {
  readonly map: HTMLElement;
  readonly numbers: HTMLElement;
  readonly legend: HTMLElement;
  show(key: FrameKey, data: LayerData, channel: number, look: Look): void;
  hasExact(key: FrameKey, channel: number): boolean;
  /** Keeps a frame of kind "channel". */
  keep(frame: Frame): void;
  forget(): void;
}

const EXACT_BYTES = 8 << 20;

export function makeChannelPanel(on: On, onProbe: (spot: Spot | null) => void): ChannelPanel {
  const detail = makeDetail(on, onProbe);
  const legend = makeLegend();
  const exact = makeStore<ChannelValues>(EXACT_BYTES);
  const textOf = (layer: unknown, image: unknown, channel: unknown) =>
    `${image}|${channel}|${layer}`;

  /** What the codes tell, until the exact values are here. */
  const decoded = (maps: Maps, channel: number): ChannelValues => {
    const { height, width } = maps;
    return { values: channelValues(maps, channel), height, width, isExact: false };
  };

  return {
    map: detail.map,
    numbers: detail.box,
    legend: legend.box,
    show({ layer, image }, data, channel, look) {
      if (data.is !== "maps") return;
      legend.show(data, channel, look);
      const values = exact.get(textOf(layer, image, channel)) ?? decoded(data, channel);
      // Where no value is finite, a channel has no scale of its own.
      const isBlank = look.scale.mode === "channel" && !extentOf(values.values);
      setAttributes(legend.box, { "data-blank": isBlank });
      detail.show(layer, data, channel, values, look);
    },
    hasExact: ({ layer, image }, channel) => exact.has(textOf(layer, image, channel)),
    keep({ params, arrays, bytes }) {
      const { shape, data } = arrays.values ?? {};
      const [height, width] = shape ?? [];
      if (!(data instanceof Float32Array) || !height || !width) return;
      const text = textOf(params.layer, params.image, params.channel);
      exact.put(text, { values: data, height, width, isExact: true }, bytes);
    },
    forget: exact.clear,
  };
}
