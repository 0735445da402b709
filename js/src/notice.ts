/** What went wrong, in a box of its own: the message, what to do, and nothing else stops. */

import { element, show } from "./dom";

export class Notice {
  readonly box = element("div", { class: "cnnviz-alert", role: "alert", hidden: true });
  #about = "";

  /** @param about what the trouble is about, so that its end can be told */
  say(about: string, title: string, message: string, hint: string | null): void {
    this.#about = about;
    const parts = [element("strong", {}, title), element("p", {}, message)];
    if (hint) parts.push(element("p", { class: "cnnviz-quiet" }, hint));
    this.box.replaceChildren(...parts);
    show(this.box, true);
  }

  /** Takes back what was said about this. */
  clear(about: string): void {
    if (this.#about !== about) return;
    this.#about = "";
    show(this.box, false);
    this.box.replaceChildren();
  }
}
