/** Watches what a view depends on and does not own: size, pixel ratio, theme, being in view. */

import { listenUntil } from "./dom";

const THEME_ATTRIBUTES = ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "class"];

/**
 * Starts watching; everything ends with the signal.
 *
 * @param parts elements whose size matters
 * @param onLook the size, the pixel ratio or the theme has changed
 * @param onVisible the view came into sight or left it
 */
export function watch(
  root: HTMLElement,
  parts: readonly Element[],
  onLook: () => void,
  onVisible: (isVisible: boolean) => void,
  signal: AbortSignal,
): void {
  const on = listenUntil(signal);
  const until = (observer: { disconnect(): void }) =>
    on(signal, "abort", () => observer.disconnect());

  const size = new ResizeObserver(onLook);
  for (const part of parts) size.observe(part);
  until(size);

  const theme = new MutationObserver(onLook);
  for (const target of [document.documentElement, document.body]) {
    theme.observe(target, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
  }
  until(theme);
  on(matchMedia("(prefers-color-scheme: dark)"), "change", onLook);

  // A query holds for one ratio only, so each change needs the next query.
  const watchRatio = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      onLook();
      watchRatio();
    };
    query.addEventListener("change", changed, { signal, once: true });
  };
  watchRatio();

  let isInView = true;
  const tell = () => onVisible(isInView && !document.hidden);
  const view = new IntersectionObserver((entries) => {
    isInView = entries.at(-1)?.isIntersecting ?? true;
    tell();
  });
  view.observe(root);
  until(view);
  document.addEventListener("visibilitychange", tell, { signal });
}
