/** One method of the SaliencyOverlay: its map, what it explains, what it cost, and its parameters. */

import type { Form } from "./clipping";
import { h, listenUntil, setAttributes, setText, show, showButton } from "./dom";
import { formatNumber, formatSeconds } from "./format";
import { makeNotice } from "./notice";
import { makeParameters, type Values } from "./parameters";
import type { Answer, Facts, ValueMap } from "./saliencymap";
import type { MethodInfo, PanelState, SaliencyLook } from "./saliencytraits";
import { makeSaliencyView } from "./saliencyview";
import type { Block, Failure } from "./wire";
import { say } from "./words";

export interface ReaderEvents {
  onMethod(name: string): void;
  onParameters(values: Values): void;
  onRemove(): void;
  onCancel(): void;
  /** The reader wants the map computed that was stopped or failed. */
  onAgain(): void;
}

export interface SaliencyPanel {
  readonly box: HTMLElement;
  state(): PanelState;
  /** Takes the method and the parameters that are not at their defaults. */
  choose(method: MethodInfo, values: Values, isOnly: boolean): void;
  /** A map has been asked for; `keeps` tells whether the one on the screen may stay until then. */
  ask(keeps: boolean): void;
  setState(state: PanelState): void;
  take(answer: Answer): void;
  fail(failure: Pick<Failure, "message" | "hint">): void;
  /** Draws the map over the picture, as far as they are here; false if there is no map. */
  draw(picture: Block | null, look: SaliencyLook): boolean;
  facts(): Facts | null;
  /** Gives the keyboard to the choice of the method. */
  focus(): void;
  /** Takes the panel away. */
  end(): void;
}

function makeMethodSelect(methods: readonly MethodInfo[]): HTMLSelectElement {
  const group = (family: MethodInfo["family"]) =>
    h(
      "optgroup",
      { label: say(`family_${family}`) },
      ...methods
        .filter((method) => method.family === family)
        .map(({ name, title }) => h("option", { value: name }, title)),
    );
  const control = { "data-cnnviz-control": "method", "aria-label": say("method") };
  return h("select", control, group("saliency"), group("cam"));
}

/** How much was computed, in how long. */
function costText({ forward, backward, seconds }: Facts): string {
  const which = forward && backward ? "both" : forward ? "forward" : backward ? "backward" : "none";
  return say(`cost_${which}`, { forward, backward, seconds: formatSeconds(seconds) });
}

/** What a panel says of its method while it is at work, and after. */
function statusText(state: PanelState, done: number, total: number, facts: Facts | null): string {
  if (state === "done") return facts ? costText(facts) : "";
  if (state === "queued") return say("queued");
  if (state === "missing") return say("not_in_page");
  if (state === "failed") return "";
  const seconds = formatSeconds(facts?.seconds ?? 0);
  const share = say(facts && done ? "progress_took" : "progress", { done, total, seconds });
  if (state !== "running") return total ? say("stopped_after", { share }) : say("stopped_early");
  if (total) return share;
  return done ? say("progress_open", { done }) : say("starting");
}

/** Which number a map is about. */
function explainedText({ scoreKind, name, score, layer }: Facts): string {
  const kind = scoreKind === "custom" ? "" : say(`kind_${scoreKind}`);
  const what = kind ? say("explains", { kind, name }) : say("explains_custom", { name });
  const value = score === null ? "" : say("explains_score", { score: formatNumber(score) });
  return what + value + (layer ? say("explains_layer", { layer }) : "");
}

/** How far the method is, with a button to stop it or to start it again. */
function makeStatus() {
  const text = new Text();
  const said = h("span", { role: "status", tabindex: -1 }, text);
  const bar = h("progress", { "aria-label": say("progress_bar") });
  const button = h("button", { type: "button" });
  const box = h("div.progress", bar, said, button);
  return {
    box,
    button,
    show(state: PanelState, done: number, total: number, facts: Facts | null) {
      const isBusy = state === "queued" || state === "running";
      show(bar, state === "running");
      if (total > 0 && state === "running") setAttributes(bar, { max: total, value: done });
      else setAttributes(bar, { value: null });
      // What changes five times a second is not read out.
      setAttributes(said, { "aria-live": state === "running" && "off" });
      setText(text, statusText(state, done, total, facts));
      showButton(button, state !== "done" && state !== "asked" && state !== "missing", said);
      setText(button, isBusy ? say("cancel") : state === "failed" ? say("retry") : say("compute"));
      setAttributes(button, { "data-cnnviz-control": isBusy ? "cancel" : "again" });
    },
  };
}

export function makeSaliencyPanel(
  methods: readonly MethodInfo[],
  events: ReaderEvents,
): SaliencyPanel {
  const ending = new AbortController();
  const on = listenUntil(ending.signal);
  const select = makeMethodSelect(methods);
  const remove = h("button.remove", { type: "button", "data-cnnviz-control": "remove" }, "×");
  const view = makeSaliencyView(on);
  const explained = new Text();
  const status = makeStatus();
  const notice = makeNotice();
  const note = h("p.note");
  const about = h("p.quiet");
  const parameters = makeParameters(on, (values) => events.onParameters(values));
  const box = h(
    "section.panel",
    h("div.panelhead", select, remove),
    view.box,
    h("p.explained", explained),
    status.box,
    notice.box,
    note,
    parameters.box,
    about,
  );
  let method: MethodInfo | null = null;
  let remark = "";
  let chosen: Values = {};
  let state: PanelState = "asked";
  let map: ValueMap | null = null;
  let facts: Facts | null = null;
  /** Whether the facts are those of what was asked last. */
  let isFresh = false;
  let done = 0;
  let total = 0;

  on(select, "change", () => events.onMethod(select.value));
  on(remove, "click", () => events.onRemove());
  on(status.button, "click", () =>
    state === "queued" || state === "running" ? events.onCancel() : events.onAgain(),
  );

  const setState = (next: PanelState) => {
    // Without a kernel the map stays what it was when the last word came.
    state = next === "missing" && isFresh ? "stopped" : next;
    setAttributes(box, {
      "data-state": state,
      "aria-busy": (state === "queued" || state === "running") && "true",
    });
    if (state === "asked") return;
    status.show(state, done, total, isFresh ? facts : null);
  };

  /** The method's note, and why no value is negative where the reader looks for such. */
  const tellNote = (form: Form | null) => {
    const reduction = method?.parameters.find(({ name }) => name === "reduction");
    const value = chosen.reduction ?? reduction?.default ?? "sum";
    const title = reduction?.choices.find(([name]) => name === value)?.[1];
    const isSignless = form === "signed" && value !== "sum";
    const hint = isSignless ? say("no_sign", { choice: title ?? `${value}` }) : "";
    setText(note, [remark, hint].filter(Boolean).join(" "));
  };

  const tellFacts = () => {
    if (!facts) return setText(explained, "");
    setText(explained, explainedText(facts));
  };

  return {
    box,
    state: () => state,
    facts: () => facts,
    focus: () => select.focus(),
    setState,
    choose(next, values, isOnly) {
      method = next;
      chosen = values;
      select.value = next.name;
      // A method that Python alone can name, such as one of Captum's.
      if (!select.value) {
        select.append(h("option", { value: next.name }, next.title));
        select.value = next.name;
      }
      box.setAttribute("aria-label", next.title);
      setAttributes(remove, { "aria-label": say("remove_method", { title: next.title }) });
      show(remove, !isOnly);
      parameters.show(next.parameters, values);
      const { summary, passes, paper } = next;
      setText(about, say("about_saliency", { summary, passes, paper }));
    },
    ask(keeps) {
      if (!keeps) map = null;
      facts = keeps ? facts : null;
      isFresh = false;
      done = 0;
      total = 0;
      notice.clear("");
      remark = "";
      tellNote(null);
      setAttributes(box, { "data-stale": true });
      setState("asked");
    },
    take(answer) {
      ({ done, total } = answer);
      if (answer.map) {
        ({ map, facts } = answer);
        isFresh = true;
        setAttributes(box, { "data-stale": false });
        tellFacts();
      }
      remark = answer.isFinal ? (facts?.note ?? "") : "";
      tellNote(null);
      setState(answer.isFinal ? "done" : "running");
    },
    fail({ message, hint }) {
      map = null;
      facts = null;
      tellFacts();
      notice.say("", say("saliency_failed", { title: method?.title ?? "" }), message, hint);
      setState("failed");
    },
    draw(picture, look) {
      // The picture alone is not of an older question.
      if (!map && picture) setAttributes(box, { "data-stale": false });
      const form = look.form === "usual" ? (method?.usual ?? "absolute") : look.form;
      tellNote(map ? form : null);
      return view.draw(map, picture, look, form, method?.title ?? "");
    },
    end() {
      ending.abort();
      box.remove();
    },
  };
}
