/** Watches what a view depends on and does not own: size, pixel ratio, theme, being in view. */

export interface SurroundingEvents {
  onResize(): void;
  onRatio(): void;
  onTheme(): void;
  onVisible(visible: boolean): void;
}

/** Starts watching; everything ends with the signal. */
export function watch(root: HTMLElement, events: SurroundingEvents, signal: AbortSignal): void {
  watchSize(root, events, signal);
  watchRatio(events, signal);
  watchTheme(events, signal);
  watchView(root, events, signal);
}

function watchSize(root: HTMLElement, events: SurroundingEvents, signal: AbortSignal): void {
  if (typeof ResizeObserver === "undefined") return;
  const observer = new ResizeObserver(() => events.onResize());
  observer.observe(root);
  for (const part of root.querySelectorAll(".cnnviz-stage")) observer.observe(part);
  signal.addEventListener("abort", () => observer.disconnect());
}

function watchRatio(events: SurroundingEvents, signal: AbortSignal): void {
  if (signal.aborted || typeof matchMedia === "undefined") return;
  // A query holds for one ratio only, so each change needs the next query.
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
    "change",
    () => {
      events.onRatio();
      watchRatio(events, signal);
    },
    { signal, once: true },
  );
}

const THEME_ATTRIBUTES = ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "class"];

function watchTheme(events: SurroundingEvents, signal: AbortSignal): void {
  const observer = new MutationObserver(() => events.onTheme());
  for (const target of [document.documentElement, document.body]) {
    observer.observe(target, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
  }
  signal.addEventListener("abort", () => observer.disconnect());
  if (typeof matchMedia === "undefined") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => events.onTheme(), { signal });
}

function watchView(root: HTMLElement, events: SurroundingEvents, signal: AbortSignal): void {
  let isInView = true;
  const tell = () => events.onVisible(isInView && !document.hidden);
  document.addEventListener("visibilitychange", tell, { signal });
  if (typeof IntersectionObserver === "undefined") return;
  const observer = new IntersectionObserver((entries) => {
    isInView = entries.at(-1)?.isIntersecting ?? true;
    tell();
  });
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
}
