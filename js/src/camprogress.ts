/** How far a method is that runs for one layer at a time, with a button to stop or start it. */

import type { CamMethod } from "./camtraits";
import { h, type On, setAttributes, setText, show, showButton } from "./dom";
import { say } from "./words";

export interface CamProgress {
  readonly box: HTMLElement;
  /** Takes the passes done and to be done; both are 0 when nothing runs. */
  show(done: number, total: number): void;
  /** Takes the method, and whether its maps are whole, when the slider rests. */
  rest(method: CamMethod, isWhole: boolean): void;
  /** Whether the reader has stopped it. */
  isStopped(): boolean;
  /** Something else is looked at: what was stopped is of no matter. */
  reset(): void;
}

/** @param onWanted takes true when the reader starts the method, false when it is stopped */
export function makeCamProgress(on: On, onWanted: (isWanted: boolean) => void): CamProgress {
  const bar = h("progress", { hidden: true });
  const text = new Text();
  const button = h("button", { type: "button", "data-cnnviz-control": "stop" });
  const said = h("span", { role: "status", tabindex: -1 }, text);
  const box = h("div.progress", { hidden: true }, bar, said, button);
  let isRunning = false;
  let isStopped = false;
  let lastTotal = 0;
  let about = "";

  const tell = (total = 0, done = 0) => {
    show(bar, isRunning);
    const progress = say("progress", { done, total });
    setAttributes(bar, { max: total || 1, value: done, "aria-label": progress });
    // What changes five times a second is not read out.
    setAttributes(said, { "aria-live": isRunning && "off" });
    setText(text, isRunning ? progress : isStopped ? say("stopped") : about);
    showButton(button, isRunning || isStopped, said);
    setText(button, isRunning ? say("stop") : say("compute"));
    show(box, isRunning || isStopped || about !== "");
  };

  on(button, "click", () => {
    isStopped = isRunning;
    isRunning = !isStopped;
    tell(lastTotal);
    onWanted(!isStopped);
  });

  return {
    box,
    show(done, total) {
      isRunning = total > 0;
      if (isRunning) isStopped = false;
      lastTotal = total || lastTotal;
      tell(total, done);
    },
    rest({ title, passes, progressive }, isWhole) {
      about = progressive ? say("at_rest", { title, passes }) : "";
      if (isWhole) isStopped = false;
      if (!isRunning) tell();
    },
    isStopped: () => isStopped,
    reset() {
      isRunning = false;
      isStopped = false;
      tell();
    },
  };
}
