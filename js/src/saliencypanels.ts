/** The panels of the SaliencyOverlay side by side: added, changed and removed by the reader or Python. */

import { h, type On } from "./dom";
import type { Values } from "./parameters";
import type { Question } from "./saliencymap";
import { makeSaliencyPanel, type SaliencyPanel } from "./saliencypanel";
import type { MethodInfo, PanelTrait } from "./saliencytraits";
import { say } from "./words";

/** One method on the screen; its slot names it to the kernel for as long as it is there. */
export interface PanelEntry {
  readonly slot: number;
  readonly panel: SaliencyPanel;
  method: MethodInfo;
  parameters: Values;
  /** What was asked for last, and when: those asked first are answered first. */
  asked: Question | null;
  turn: number;
  /** The answer on the screen. */
  seq: number;
}

export interface PanelEvents {
  /** These have something new to show. */
  onAsk(entries: readonly PanelEntry[]): void;
  /** This one wants nothing more. */
  onCancel(entry: PanelEntry): void;
  /** The reader changed which panels there are. */
  onChange(panels: readonly PanelTrait[]): void;
}

export interface PanelList {
  readonly box: HTMLElement;
  entries(): readonly PanelEntry[];
  /** Takes the panels that Python or another view set; those that stay as they are go on. */
  set(list: readonly PanelTrait[]): void;
  end(): void;
}

/** As in cnnviz_widgets/widgets/saliency_overlay.py. */
const MOST_PANELS = 6;

export function makePanelList(
  on: On,
  methods: () => readonly MethodInfo[],
  events: PanelEvents,
): PanelList {
  const add = h("button.add", { type: "button", "data-cnnviz-control": "add" }, say("add_method"));
  const grid = h("div.panels");
  const entries: PanelEntry[] = [];

  const find = (name: string) => methods().find((method) => method.name === name);

  const makeEntry = (method: MethodInfo): PanelEntry => {
    const taken = entries.map(({ slot }) => slot);
    const slot = [...Array(MOST_PANELS).keys()].find((free) => !taken.includes(free)) ?? 0;
    const panel = makeSaliencyPanel(methods(), {
      onMethod(name) {
        const next = find(name);
        if (next) change(entry, next, {});
      },
      onParameters: (values) => change(entry, entry.method, values),
      onRemove: () => remove(entry),
      onCancel() {
        events.onCancel(entry);
        panel.setState("stopped");
      },
      onAgain: () => events.onAsk([entry]),
    });
    const entry = { slot, panel, method, parameters: {}, asked: null, turn: 0, seq: 0 };
    return entry;
  };

  /** Puts the panels in order, each with its method. */
  const arrange = () => {
    for (const { panel, method, parameters } of entries) {
      panel.choose(method, parameters, entries.length === 1);
    }
    const boxes = entries.map(({ panel }) => panel.box);
    if (boxes.some((box, place) => grid.children[place] !== box)) grid.append(...boxes);
    add.disabled = entries.length === MOST_PANELS;
  };

  const tell = () =>
    events.onChange(entries.map(({ method, parameters }) => ({ method: method.name, parameters })));

  const change = (entry: PanelEntry, method: MethodInfo, parameters: Values) => {
    Object.assign(entry, { method, parameters });
    arrange();
    events.onAsk([entry]);
    tell();
  };

  const end = (entry: PanelEntry) => {
    events.onCancel(entry);
    entry.panel.end();
  };

  const remove = (entry: PanelEntry) => {
    const place = entries.indexOf(entry);
    entries.splice(place, 1);
    end(entry);
    arrange();
    tell();
    entries[Math.min(place, entries.length - 1)]?.panel.focus();
  };

  on(add, "click", () => {
    const isFree = ({ name }: MethodInfo) => entries.every(({ method }) => method.name !== name);
    const method = methods().find(isFree) ?? methods()[0];
    if (!method) return;
    const entry = makeEntry(method);
    entries.push(entry);
    arrange();
    events.onAsk([entry]);
    tell();
    entry.panel.focus();
  });

  return {
    box: h("div.comparison", grid, add),
    entries: () => entries,
    set(list) {
      const changed: PanelEntry[] = [];
      for (const [place, { method: name, parameters = {} }] of list.entries()) {
        const method = find(name);
        if (!method) continue;
        const entry = entries[place] ?? makeEntry(method);
        const isNew = !entries[place];
        const isSame = entry.method === method && isEqual(entry.parameters, parameters);
        Object.assign(entry, { method, parameters });
        if (isNew) entries.push(entry);
        if (isNew || !isSame) changed.push(entry);
      }
      for (const entry of entries.splice(list.length)) end(entry);
      arrange();
      events.onAsk(changed);
    },
    end() {
      for (const { panel } of entries) panel.end();
    },
  };
}

function isEqual(a: Values, b: Values): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
