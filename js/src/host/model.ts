/** A model that lives in the page alone: what views write, the other views of the model follow. */

import type { AnyModel } from "@anywidget/types";
import type { BakedTraits } from "../baked";

type Listener = (...args: never[]) => void;

/** The model of a widget, from its state. */
export function pageModel<T extends BakedTraits>(state: T): AnyModel<T> {
  const traits = { ...state };
  const listeners = new Map<string, Set<Listener>>();
  const of = (event: string) => {
    const known = listeners.get(event) ?? new Set();
    listeners.set(event, known);
    return known;
  };
  return {
    get: (name) => traits[name],
    set(name, value) {
      if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
      traits[name] = value;
      for (const listener of [...of(`change:${String(name)}`)]) listener();
    },
    // Nothing is saved: the page is what it was when it is opened again.
    save_changes() {},
    send() {},
    on: (event: string, listener: Listener) => void of(event).add(listener),
    off: (event, listener) => void of(`${event}`).delete(listener as Listener),
    widget_manager: { get_model: () => Promise.reject(new Error("a page has no manager")) },
  };
}
