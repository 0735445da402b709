/** Where a picture comes in: a button that opens the file dialog, and takes what is dropped or pasted. */

import { h, type On, setText } from "./dom";
import { say } from "./words";

export interface PickerZone {
  readonly box: HTMLElement;
  setEnabled(isEnabled: boolean): void;
}

/** What a drag or a paste carries: its first file, or null. */
const fileOf = (data: DataTransfer | null): File | null => data?.files[0] ?? null;

const isEditable = (target: EventTarget | null) =>
  target instanceof Element && target.closest("input, textarea, [contenteditable], .cm-editor");

/**
 * @param root the whole view takes drops and pastes, not the button alone
 * @param onFile takes the file; null where something else came
 */
export function makePickerZone(
  on: On,
  root: HTMLElement,
  mostBytes: number,
  onFile: (file: File | null) => void,
): PickerZone {
  const input = h("input", { type: "file", accept: "image/*", hidden: true, tabindex: -1 });
  const title = new Text(say("drop"));
  const button = h(
    "button.drop",
    { type: "button", "data-cnnviz-control": "file" },
    h("strong", title),
    h("small", say("drop_ways", { most: mostBytes >> 20 })),
  );
  let depth = 0;

  const mark = (isOver: boolean) => {
    if (!isOver) depth = 0;
    root.toggleAttribute("data-drag", isOver);
    setText(title, isOver ? say("drop_now") : say("drop"));
  };

  on(button, "click", () => input.click());
  on(input, "change", () => {
    const [file] = input.files ?? [];
    if (file) onFile(file);
    input.value = ""; // so that the same file can be chosen again
  });
  // Entering a child comes before leaving its parent, so the two are counted.
  on(root, "dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    mark(true);
  });
  on(root, "dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  on(root, "dragleave", () => {
    depth -= 1;
    if (depth <= 0) mark(false);
  });
  on(root, "drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    onFile(fileOf(event.dataTransfer));
  });
  // A picture has no focus of its own, so a paste counts where the pointer is, too.
  on(document, "paste", (event) => {
    const isInside = event.composedPath().includes(root);
    if (!isInside && (!root.matches(":hover") || isEditable(event.target))) return;
    event.preventDefault();
    event.stopPropagation();
    onFile(fileOf((event as ClipboardEvent).clipboardData));
  });

  return {
    box: h("div.intake", button, input),
    setEnabled(isEnabled) {
      button.disabled = !isEnabled;
    },
  };
}
