/** A vector as bars from zero, with class names where there are any; scrolled, drawn as needed. */

import { h, type On, setAttributes, setPixels, setText, show } from "./dom";
import { formatNumber } from "./format";
import { extentOf } from "./histogram";
import type { Vector } from "./maps";
import { type SortKey, vectorOrder } from "./order";
import { say } from "./words";

const ROW_PX = 22;
const HEIGHT_PX = 460;

/** Where a bar stands between the ends of an axis that always includes zero, as shares of it. */
export function barSpan(value: number, low: number, high: number): { left: number; width: number } {
  const start = Math.min(0, low);
  const span = Math.max(0, high) - start || 1;
  const end = Number.isFinite(value) ? value : 0;
  return { left: (Math.min(0, end) - start) / span, width: Math.abs(end) / span };
}

export interface Bars {
  readonly box: HTMLElement;
  show(vector: Vector, sort: SortKey): void;
}

export function makeBars(on: On): Bars {
  const title = new Text();
  const list = h("div.rows", { role: "list" });
  const space = h("div.space", list);
  const scroller = h("div.scroller", { role: "group", tabindex: 0 }, space);
  const rows: { box: HTMLElement; label: Text; number: Text; bar: HTMLElement }[] = [];
  let draw = () => {};

  const addRow = () => {
    const row = { label: new Text(), number: new Text(), bar: h("i") };
    const box = h(
      "div",
      { role: "listitem" },
      h("span.class", row.label),
      h("span.track", row.bar),
      h("span.number", row.number),
    );
    list.append(box);
    rows.push({ ...row, box });
  };

  on(scroller, "scroll", () => draw());

  return {
    box: h("div.bars", h("div.caption", h("span", title)), h("div.stage", scroller)),
    show({ values, labels }, sort) {
      const order = vectorOrder(values, sort);
      const { low, high } = extentOf(values) ?? { low: 0, high: 0 };
      const ends = { low: formatNumber(low), high: formatNumber(high) };
      setText(title, say("values", { count: values.length, ...ends }));
      setAttributes(scroller, { "aria-label": title.data });
      setPixels(space, { height: order.length * ROW_PX });
      draw = () => {
        const room = Math.ceil((scroller.clientHeight || HEIGHT_PX) / ROW_PX) + 1;
        const most = Math.max(0, order.length - room);
        const first = Math.min(most, Math.floor(scroller.scrollTop / ROW_PX));
        setPixels(list, { top: first * ROW_PX });
        while (rows.length < Math.min(room, order.length)) addRow();
        rows.forEach(({ box, label, number, bar }, n) => {
          const index = order[first + n];
          show(box, index !== undefined && n < room);
          if (index === undefined) return;
          const value = values[index] ?? 0;
          const { left, width } = barSpan(value, low, high);
          setText(label, labels?.[index] ?? `${index}`);
          setText(number, formatNumber(value));
          bar.style.left = `${100 * left}%`;
          bar.style.width = `${100 * width}%`;
          setAttributes(bar, { "data-negative": value < 0 });
        });
      };
      draw();
    },
  };
}
