/** A vector as horizontal bars from zero, with class names where there are any; scrolled, drawn as needed. */

import { element, show, text } from "./dom";
import { formatNumber } from "./format";
import { extentOf } from "./histogram";
import type { Vector } from "./maps";
import { type SortKey, vectorOrder } from "./order";
import { words } from "./words";

const ROW_PX = 22;

interface Row {
  readonly box: HTMLElement;
  readonly label: Text;
  readonly number: Text;
  readonly bar: HTMLElement;
}

/** Where zero and a value stand between the ends of an axis that always includes zero. */
export function barSpan(value: number, low: number, high: number): { from: number; to: number } {
  const start = Math.min(0, low);
  const span = Math.max(0, high) - start || 1;
  const zero = -start / span;
  const end = Number.isFinite(value) ? (value - start) / span : zero;
  return { from: Math.min(zero, end), to: Math.max(zero, end) };
}

export class Bars {
  readonly box: HTMLElement;
  readonly #title = text();
  readonly #rows: Row[] = [];
  readonly #list = element("div", { class: "cnnviz-rows", role: "list" });
  readonly #space = element("div", { class: "cnnviz-space" }, this.#list);
  readonly #scroller: HTMLElement;
  #height = 0;
  #scroll = 0;
  #vector: Vector | null = null;
  #order: Uint32Array = new Uint32Array();
  #low = 0;
  #high = 0;

  constructor(signal: AbortSignal) {
    this.#scroller = element("div", { class: "cnnviz-scroller", tabindex: 0 }, this.#space);
    const caption = element("div", { class: "cnnviz-caption" }, element("span", {}, this.#title));
    const stage = element("div", { class: "cnnviz-stage" }, this.#scroller);
    this.box = element("div", { class: "cnnviz-bars" }, caption, stage);
    this.#scroller.addEventListener(
      "scroll",
      () => {
        this.#scroll = this.#scroller.scrollTop;
        this.#draw();
      },
      { signal, passive: true },
    );
  }

  measure(): void {
    const { clientHeight } = this.#scroller;
    if (clientHeight === this.#height) return;
    this.#height = clientHeight;
    this.#draw();
  }

  show(vector: Vector, sort: SortKey): void {
    this.#vector = vector;
    this.#order = vectorOrder(vector.values, sort);
    const extent = extentOf(vector.values);
    this.#low = extent?.low ?? 0;
    this.#high = extent?.high ?? 0;
    this.#title.data = words.values(vector.values.length);
    this.#space.style.height = `${this.#order.length * ROW_PX}px`;
    this.#draw();
  }

  #draw(): void {
    const vector = this.#vector;
    if (!vector) return;
    const count = this.#order.length;
    const room = Math.ceil((this.#height || 440) / ROW_PX) + 1;
    const most = Math.max(0, count - room);
    const first = Math.min(most, Math.max(0, Math.floor(this.#scroll / ROW_PX)));
    const last = Math.min(count, first + room);
    this.#list.style.transform = `translateY(${first * ROW_PX}px)`;
    while (this.#rows.length < last - first) this.#rows.push(this.#addRow());
    this.#rows.forEach((row, n) => {
      const place = first + n;
      show(row.box, place < last);
      if (place < last) this.#fill(row, vector, place);
    });
  }

  #fill(row: Row, vector: Vector, place: number): void {
    const index = this.#order[place] ?? 0;
    const value = vector.values[index] ?? 0;
    const { from, to } = barSpan(value, this.#low, this.#high);
    row.label.data = vector.labels?.[index] ?? words.element(index);
    row.number.data = formatNumber(value);
    row.bar.style.left = `${(100 * from).toFixed(2)}%`;
    row.bar.style.width = `${(100 * (to - from)).toFixed(2)}%`;
    row.bar.classList.toggle("cnnviz-negative", value < 0);
    row.box.setAttribute("aria-posinset", String(place + 1));
    row.box.setAttribute("aria-setsize", String(this.#order.length));
  }

  #addRow(): Row {
    const label = text();
    const number = text();
    const bar = element("i");
    const box = element(
      "div",
      { role: "listitem" },
      element("span", { class: "cnnviz-class" }, label),
      element("span", { class: "cnnviz-track", "aria-hidden": "true" }, bar),
      element("span", { class: "cnnviz-number" }, number),
    );
    this.#list.append(box);
    return { box, label, number, bar };
  }
}
