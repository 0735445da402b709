/** What went wrong, in a box of its own: the message, what to do, and nothing else stops. */

import { h, show } from "./dom";

export interface Notice {
  readonly box: HTMLElement;
  /** @param about what the trouble is about, so that its end can be told */
  say(about: string, title: string, message: string, hint?: string | null): void;
  /** Takes back what was said about this. */
  clear(about: string): void;
}

export function makeNotice(): Notice {
  const box = h("div.alert", { role: "alert", hidden: true });
  let subject = "";
  return {
    box,
    say(about, title, message, hint) {
      subject = about;
      box.replaceChildren(h("strong", title), h("p", message), h("p.quiet", hint ?? ""));
      show(box, true);
    },
    clear(about) {
      if (subject === about) show(box, false);
    },
  };
}
