/** Where a layer is shown, as what it is: maps in a grid, a vector as bars, or a question. */

import { makeBars } from "./bars";
import { makeLuts } from "./colormap";
import { h, type On, setText, show } from "./dom";
import { formatNumber } from "./format";
import type { Look } from "./gridcanvas";
import { makeGridView, type Tiles } from "./gridview";
import { isDead, type LayerData, LEVELS, layerExtent, type Maps } from "./maps";
import { channelOrder } from "./order";
import { paintMaps } from "./paint";
import { makeQuestionView } from "./question";
import type { LayerEntry } from "./traits";
import { say } from "./words";

export interface Stage {
  readonly box: HTMLElement;
  measure(tilePx: number, ratio: number): void;
  /** Draws a layer, at once; false if that must wait until the space for it is known. */
  show(data: LayerData, layer: LayerEntry, look: Look): boolean;
  /** Brings up to date what can wait until the picture is on the screen. */
  refresh(channel: number): void;
}

/** What is wrong with a layer as a whole, in words, or "". */
export function remarkOn(maps: Maps): string {
  if (!maps.codes.some((code) => code <= LEVELS)) return say("nan_layer");
  const { low, high } = layerExtent(maps);
  const isBlank = low === high && maps.factor === 1 && !maps.codes.some((code) => code > LEVELS);
  return isBlank ? say("dead_layer", { value: formatNumber(low) }) : "";
}

/** The channels of a layer as tiles. */
function channelTiles(maps: Maps, { scale, colours, sort }: Look): Tiles {
  const { channels, fullHeight, fullWidth, factor, minimum, maximum } = maps;
  const order = channelOrder(maps, sort);
  const size = say("channels", { count: channels, height: fullHeight, width: fullWidth });
  return {
    order,
    cover: `${maps.height} ${maps.width}`,
    title: size + (factor > 1 ? say("channels_reduced", { factor }) : ""),
    paint: (view, grid, scroll) =>
      paintMaps(view, grid, maps, order, scroll, makeLuts(maps, scale, colours)),
    describe(channel) {
      const low = formatNumber(minimum[channel] ?? 0);
      const high = formatNumber(maximum[channel] ?? 0);
      return say(isDead(maps, channel) ? "cell_dead" : "cell", { channel, low, high });
    },
    mark: (channel) => (isDead(maps, channel) ? say("dead") : ""),
  };
}

export function makeStage(
  on: On,
  title: string,
  onChoose: ((channel: number) => void) | null,
  onLayout: (layer: string, layout: string) => void,
): Stage {
  const grid = makeGridView(on, title, onChoose);
  const bars = makeBars(on);
  const question = makeQuestionView(on, onLayout);
  const note = h("p.note");
  const boxes = { maps: grid.box, vector: bars.box, ask: question.box };
  let shown: LayerData | null = null;
  const showBox = (is: LayerData["is"]) => {
    for (const [kind, box] of Object.entries(boxes)) show(box, kind === is);
  };
  showBox("maps");
  return {
    box: h(
      "section.stagebox",
      { "aria-label": title },
      h("h3", title),
      ...Object.values(boxes),
      note,
    ),
    measure: grid.measure,
    show(data, layer, look) {
      if (data.is !== shown?.is) showBox(data.is);
      shown = data;
      if (data.is === "maps") return grid.show(channelTiles(data, look));
      if (data.is === "vector") bars.show(data, look.sort);
      else question.show(data, layer);
      return true;
    },
    refresh(channel) {
      if (!shown) return;
      const isMaps = shown.is === "maps";
      if (isMaps) grid.refresh(channel);
      const remark = shown.is === "maps" ? remarkOn(shown) : "";
      const text = shown.is === "ask" ? "" : `${shown.note} ${remark}`.trim();
      setText(note, text);
    },
  };
}
