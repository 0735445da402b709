/** What the chosen filter answers on the picture: its map, one number, or why there is neither. */

import { colourOf } from "./colormap";
import { h, makeImage, type On, setAttributes, setText, show } from "./dom";
import { FILTER_PALETTES } from "./filtertiles";
import { formatExact, formatNumber } from "./format";
import { makeFrame, type Spot } from "./frame";
import { extentOf } from "./histogram";
import { makeProbe } from "./probe";
import type { Frame } from "./wire";
import { say } from "./words";

export interface FilterAnswer {
  readonly box: HTMLElement;
  /** Shows a frame of kind "answer" to a filter; null while there is none. */
  show(filter: number, frame: Frame | null): void;
  /** Says in words why there is no answer. */
  say(reason: string): void;
}

/** @param onProbe takes the place of the picture that the reader points at */
export function makeFilterAnswer(on: On, onProbe: (spot: Spot | null) => void): FilterAnswer {
  const { frame, canvas, resize, mark } = makeFrame({ role: "application", tabindex: 0 });
  const [title, number, line] = [new Text(), new Text(), new Text()];
  let map: { height: number; width: number; values: Float32Array } | null = null;
  let below = "";

  const probe = makeProbe(
    on,
    frame,
    canvas,
    () => map,
    (aim) => {
      const value = (aim && map?.values[aim.y * map.width + aim.x]) ?? 0;
      setText(
        line,
        aim ? say("readout", { y: aim.y, x: aim.x, value: formatExact(value) }) : below,
      );
      mark(aim?.spot ?? null);
      onProbe(aim?.spot ?? null);
    },
  );

  const tell = (text: string, value = "–") => {
    show(frame, map !== null);
    setText(number, map ? "" : value);
    below = text;
    setText(line, text);
  };

  const draw = (values: Float32Array, [height = 0, width = 0]: readonly number[]) => {
    map = { height, width, values };
    resize(width, height);
    const { pixels, put } = makeImage(canvas, width, height);
    const found = extentOf(values);
    const extent = found ?? { low: 0, high: 0 };
    const rule = { mode: "channel", low: 0, high: 0, diverging: false } as const;
    values.forEach((value, i) => {
      pixels[i] = colourOf(value, extent, rule, FILTER_PALETTES.norms);
    });
    put();
    if (!found) return say("no_finite");
    const [low, high] = [formatNumber(found.low), formatNumber(found.high)];
    return found.low < found.high
      ? say("answer_scale", { low, high })
      : say("all_equal", { value: low });
  };

  const square = h("div.square", frame, h("p.value", number));

  return {
    box: h("section.answer", square, h("div", h("h3", title), h("p.quiet", line))),
    say(reason) {
      map = null;
      setAttributes(square, { "data-stale": false });
      tell(reason);
    },
    show(filter, next) {
      setText(title, say("answer", { filter }));
      frame.setAttribute("aria-label", say("answer", { filter }));
      setAttributes(square, { "data-stale": !next });
      if (!next) return;
      const { kind_of: kind, value, label, place, count, slice } = next.header;
      const { data, shape } = next.arrays.values ?? {};
      map = null;
      if (data instanceof Float32Array && shape) {
        const scale = draw(data, shape);
        const [at, depth] = Array.isArray(slice) ? slice.map(Number) : [];
        tell(
          at === undefined ? scale : scale + say("answer_slice", { slice: at, count: depth ?? 0 }),
        );
        probe.refresh();
      } else if (kind === "value") {
        const shown = typeof value === "number" ? formatNumber(value) : `${value}`;
        const rank = say("answer_place", { place: Number(place), count: Number(count) });
        tell(label ? say("listed", { first: `${label}`, second: rank }) : rank, shown);
      } else tell(say("no_answer"));
    },
  };
}
