/** What the parts of a SketchPad lack in the page: names, and a way on for the Tab key. */

import type { RenderProps } from "@anywidget/types";

interface PadTraits {
  /** What the paper is called. */
  readonly paper: string;
}

let brushes = 0;

/** Names the brush after the text beside it, and takes the paper, which needs a pen, from Tab's way. */
function name(pad: Element, title: string): boolean {
  const brush = pad.querySelector('[role="slider"]');
  const label = brush?.closest(".jupyter-widgets")?.querySelector("label");
  const paper = pad.querySelector("canvas");
  if (!brush || !label || !paper) return false;
  brushes += 1;
  label.id ||= `cnnviz-brush-${brushes}`;
  brush.setAttribute("aria-labelledby", label.id);
  paper.setAttribute("role", "img");
  paper.setAttribute("aria-label", title);
  paper.tabIndex = -1;
  return true;
}

export default {
  render({ model, el }: RenderProps<PadTraits>): () => void {
    const end = new AbortController();
    const padOf = () => el.closest(".cnnviz-pad");
    // The parts are views of their own, and may come later than this one.
    const observer = new MutationObserver(() => look());
    const look = () => {
      const pad = padOf();
      if (pad && name(pad, model.get("paper"))) observer.disconnect();
    };
    observer.observe(document.body, { childList: true, subtree: true });
    look();
    model.on("change:paper", look);
    // ipycanvas keeps every key to itself once the paper was clicked.
    const letOn = (event: KeyboardEvent) => {
      if (event.key === "Tab" && padOf()?.contains(event.target as Node)) event.stopPropagation();
    };
    document.addEventListener("keydown", letOn, { capture: true, signal: end.signal });
    return () => {
      end.abort();
      model.off("change:paper", look);
      observer.disconnect();
    };
  },
};
