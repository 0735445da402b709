/** What the kernel has to remark on the network, the inputs or a layer, as a quiet list. */

import { h, show } from "./dom";

export interface Remarks {
  readonly box: HTMLElement;
  /** Takes the remarks, as an index or a frame of kind "input" lists them. */
  say(list: unknown): void;
}

export function makeRemarks(): Remarks {
  const box = h("ul.quiet", { hidden: true });
  return {
    box,
    say(list) {
      const remarks = Array.isArray(list) ? list : [];
      box.replaceChildren(...remarks.map((remark) => h("li", `${remark}`)));
      show(box, remarks.length > 0);
    },
  };
}
