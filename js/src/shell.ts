/** What every view is made of: its root, the traits it follows, what it says of its state, its end. */

import type { AnyModel, RenderProps } from "@anywidget/types";
import { type Clock, realClock } from "./clock";
import { h, listenUntil, type On, setAttributes } from "./dom";
import { type Choice, joinLink } from "./link";
import { makeNotice, type Notice } from "./notice";
import type { StreamState } from "./stream";
import { makeTraitWriter, type SharedTraits, type SpokenTraits, type TraitWriter } from "./traits";
import type { Failure } from "./wire";
import { say, takeWords } from "./words";

export interface Shell<T> {
  /** The view's element, not in the page yet. */
  readonly root: HTMLElement;
  readonly on: On;
  /** Ends with the view. */
  readonly signal: AbortSignal;
  readonly writer: TraitWriter<T>;
  readonly notice: Notice;
  /** Names this view among all those of the model. */
  readonly cid: string;
  /** Follows messages, and traits that Python or another view of the same model sets. */
  follow(event: "msg:custom", listener: (content: unknown, buffers: DataView[]) => void): void;
  followTrait(name: keyof T & string, listener: () => void): void;
  /** Tells the other views of the Inspector what was chosen here. */
  tell(choice: Choice): void;
  /** Says what is on the screen now; to be called in the task that drew it. */
  announce(detail: Readonly<Record<string, string | number>>): void;
  /** Shows the kernel's state, and returns what to say of it, or "". */
  setState(state: StreamState): string;
  /** Shows an error that is about no part of the view in particular. */
  fail(failure: Pick<Failure, "kind" | "message" | "hint">, title?: string): void;
  /** Takes everything away again. */
  end(): void;
}

/**
 * @param name of the widget, as in "layer-browser"
 * @param onChoice takes what was chosen in another view of the Inspector
 */
export function openShell<T extends SharedTraits>(
  model: AnyModel<T>,
  name: string,
  clock: Clock,
  onChoice: (choice: Choice) => void,
): Shell<T> {
  takeWords(model.get("_words"), model.get("_language"));
  const ending = new AbortController();
  const { signal } = ending;
  const endings: (() => void)[] = [];
  const writer = makeTraitWriter(model, clock);
  const notice = makeNotice();
  const root = h("div", {
    class: "cnnviz",
    lang: say("language_tag"),
    "data-cnnviz-widget": name,
    "data-lm-suppress-shortcuts": "true",
  });
  const inspector = () => model.get("_index").inspector;
  const isLinked = () => model.get("linked");

  const listen = (event: string, listener: (...args: never[]) => void) => {
    model.on(event, listener as () => void);
    endings.push(() => model.off(event, listener as () => void));
  };

  return {
    root,
    signal,
    writer,
    notice,
    on: listenUntil(signal),
    cid: Math.random().toString(36).slice(2),
    tell: joinLink(inspector, isLinked, onChoice, signal),
    follow: listen,
    followTrait: (trait, listener) =>
      listen(`change:${trait}`, () => !writer.isPending(trait) && listener()),
    announce(detail) {
      for (const [what, value] of Object.entries(detail)) {
        root.setAttribute(`data-shown-${what}`, `${value}`);
      }
      const init = { bubbles: true, composed: true, detail };
      root.dispatchEvent(new CustomEvent("cnnviz:painted", init));
    },
    setState(state) {
      const isBusy = state === "busy" || state === "waiting";
      setAttributes(root, { "aria-busy": isBusy && "true", "data-state": state });
      if (state === "idle") notice.clear("static");
      return state === "idle" || state === "asking" ? "" : say(`state_${state}`);
    },
    fail({ kind, message, hint }, title = say("failed")) {
      if (kind) notice.say(kind, title, message, hint);
      else notice.say("", say("bad_message"), message, hint ?? say("bad_message_hint"));
    },
    end() {
      writer.flush();
      ending.abort();
      for (const run of endings) run();
      root.remove();
    },
  };
}

/** A widget as its host takes it; its view is opened anew when Python sets another language. */
export function asWidget<T extends SpokenTraits>(
  openView: (model: AnyModel<T>, el: HTMLElement, clock: Clock) => () => void,
): { render(props: RenderProps<T>): () => void } {
  return {
    render({ model, el }) {
      const event = "change:_language";
      let close = openView(model, el, realClock);
      const reopen = () => {
        close();
        close = openView(model, el, realClock);
      };
      model.on(event, reopen);
      return () => {
        model.off(event, reopen);
        close();
      };
    },
  };
}
