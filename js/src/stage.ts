/** Where a layer is shown, as what it is: maps in a grid, a vector as bars, or a question. */

import { Bars } from "./bars";
import type { Palette, Scale } from "./colormap";
import { element, show } from "./dom";
import { formatNumber } from "./format";
import { GridView } from "./gridview";
import { isDead, type LayerData, LEVELS, type Maps, specialValues } from "./maps";
import type { SortKey } from "./order";
import { QuestionView } from "./question";
import type { LayerEntry } from "./traits";
import { words } from "./words";

export interface StageEvents {
  /** The reader picks a channel; null where there is nothing to pick. */
  readonly onChoose: ((channel: number) => void) | null;
  readonly onLayout: (layer: string, layout: string) => void;
}

/** What is wrong with a layer as a whole, in words, or "". */
export function remarkOn(maps: Maps): string {
  for (let channel = 0; channel < maps.channels; channel++) {
    if (!isDead(maps, channel)) return "";
  }
  const { nan, posinf, neginf } = specialValues(maps);
  const isBlank = !maps.codes.some((code) => code <= LEVELS);
  if (isBlank) return words.nanLayer;
  const value = maps.minimum[0] ?? 0;
  const isOneValue = maps.minimum.every((other) => other === value);
  return isOneValue && !(nan || posinf || neginf) ? words.deadLayer(formatNumber(value)) : "";
}

export class Stage {
  readonly box: HTMLElement;
  readonly grid: GridView;
  readonly #bars: Bars;
  readonly #question: QuestionView;
  readonly #note = element("p", { class: "cnnviz-note" });
  readonly #title: HTMLElement;
  #data: LayerData | null = null;

  constructor(signal: AbortSignal, title: string, events: StageEvents) {
    this.grid = new GridView(signal, title, events.onChoose);
    this.#bars = new Bars(signal);
    this.#question = new QuestionView(signal, events.onLayout);
    this.#title = element("h3", { class: "cnnviz-stage-title", hidden: true }, title);
    this.box = element(
      "section",
      { class: "cnnviz-stagebox", "aria-label": title },
      this.#title,
      this.grid.box,
      this.#bars.box,
      this.#question.box,
      this.#note,
    );
    this.#bars.box.hidden = true;
    this.#question.box.hidden = true;
  }

  /** Shows the title; it is needed only where two stages stand side by side. */
  setTitled(titled: boolean): void {
    show(this.#title, titled);
  }

  measure(): void {
    this.grid.measure();
    this.#bars.measure();
  }

  /** Draws a layer, at once; false if that must wait until the space for it is known. */
  show(data: LayerData, layer: LayerEntry, scale: Scale, palette: Palette, sort: SortKey): boolean {
    const before = this.#data?.is;
    this.#data = data;
    if (before !== data.is) {
      show(this.grid.box, data.is === "maps");
      show(this.#bars.box, data.is === "vector");
      show(this.#question.box, data.is === "ask");
    }
    if (data.is === "maps") return this.grid.show(data, scale, palette, sort);
    if (data.is === "vector") this.#bars.show(data, sort);
    else this.#question.show(data, layer);
    return true;
  }

  /** Brings up to date what can wait until the picture is on the screen. */
  refresh(): void {
    const data = this.#data;
    if (!data) return;
    if (data.is === "maps") this.grid.refresh();
    const remark = data.is === "maps" ? remarkOn(data) : "";
    const note = data.is === "ask" ? "" : [data.note, remark].filter(Boolean).join(" ");
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }
}
