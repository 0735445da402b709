/** Watches what a view depends on and does not own: its size, the pixel ratio, being in view. */

/**
 * Starts watching; everything ends with the signal.
 *
 * @param parts elements whose size matters
 * @param onSize a size or the pixel ratio may have changed
 * @param onVisible the view came into sight or left it
 */
export function watch(
  root: HTMLElement,
  parts: Iterable<Element>,
  onSize: () => void,
  onVisible: (isVisible: boolean) => void,
  signal: AbortSignal,
): void {
  const size = new ResizeObserver(onSize);
  for (const part of parts) size.observe(part);
  // A window that moves to another screen changes its pixel ratio, and no element its size.
  addEventListener("resize", onSize, { signal });
  const view = new IntersectionObserver((entries) =>
    onVisible(entries.at(-1)?.isIntersecting ?? true),
  );
  view.observe(root);
  signal.addEventListener("abort", () => {
    size.disconnect();
    view.disconnect();
  });
}
