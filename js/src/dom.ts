/** Makes elements; everything the views show is built with these few functions. */

export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Listens until the view ends. */
export type On = <K extends keyof HTMLElementEventMap>(
  target: EventTarget,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void,
) => void;

/** Listeners that all end with the signal; none of them holds up scrolling. */
export function listenUntil(signal: AbortSignal): On {
  return (target, type, listener) =>
    target.addEventListener(type, listener as EventListener, { signal });
}

/**
 * An element from a tag with classes, as in "div.caption", attributes and children. The classes
 * get the prefix that keeps them apart from the page's; true is an empty attribute, false and null none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  spec: K | `${K}.${string}`,
  ...parts: readonly (Node | string | Attributes)[]
): HTMLElementTagNameMap[K] {
  const [tag = "", ...classes] = spec.split(".");
  const made = document.createElement(tag) as HTMLElementTagNameMap[K];
  if (classes.length > 0) made.className = classes.map((name) => `cnnviz-${name}`).join(" ");
  for (const part of parts) {
    if (typeof part === "string" || part instanceof Node) made.append(part);
    else setAttributes(made, part);
  }
  // JupyterLab takes the arrow keys of whatever has the focus, unless it says so itself.
  if (made.matches("input, select, summary, [tabindex]")) made.dataset.lmSuppressShortcuts = "true";
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === true ? "" : `${value}`;
    if (value === false || value === null) target.removeAttribute(name);
    else if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

/** Takes keys without a modifier; one that is used, which `use` tells, does nothing else. */
export function onKeys(on: On, target: HTMLElement, use: (key: string) => boolean): void {
  on(target, "keydown", (event) => {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
    if (isPlain && use(event.key)) event.preventDefault();
  });
}

/** Writes a text where it is not there yet: even the same text again costs the page a layout. */
export function setText(target: Node, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Shows or hides an element, touching it only when that changes. */
export function show(target: HTMLElement, visible: boolean): void {
  if (target.hidden === visible) target.hidden = !visible;
}

/** Shows or hides a button; where it has the keyboard when it goes, its neighbour takes that. */
export function showButton(button: HTMLElement, visible: boolean, neighbour: HTMLElement): void {
  if (!visible && button.matches(":focus")) neighbour.focus();
  show(button, visible);
}

/** Sets lengths in CSS pixels. */
export function setPixels(target: HTMLElement, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) target.style.setProperty(name, `${size}px`);
}

/** An image to draw on a canvas, and its pixels as packed numbers. */
export function makeImage(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): { pixels: Uint32Array; put(): void } {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const image = context.createImageData(width, height);
  return {
    pixels: new Uint32Array(image.data.buffer),
    put: () => context.putImageData(image, 0, 0),
  };
}
