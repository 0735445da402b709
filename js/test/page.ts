/** What a view needs of a page that jsdom has not: a canvas, sizes, and observers that stay silent. */

import { vi } from "vitest";

export interface Stub {
  /** Tells the resize observers that everything has its size. */
  resize(): void;
  /** Tells the intersection observers whether the view is seen. */
  see(isSeen: boolean): void;
  /** Pixels that were put on each canvas last. */
  readonly put: Map<HTMLCanvasElement, ImageData>;
}

/** Prepares the page; what it set is taken back by `vi.unstubAllGlobals`. */
export function stubPage(width = 700, height = 460): Stub {
  const resizes = new Set<() => void>();
  const sights = new Set<(entries: { isIntersecting: boolean }[]) => void>();
  const put = new Map<HTMLCanvasElement, ImageData>();
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(readonly run: () => void) {}
      observe() {
        resizes.add(this.run);
      }
      disconnect() {
        resizes.delete(this.run);
      }
    },
  );
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(readonly run: (entries: { isIntersecting: boolean }[]) => void) {}
      observe() {
        sights.add(this.run);
      }
      disconnect() {
        sights.delete(this.run);
      }
    },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function (
    this: HTMLCanvasElement,
  ) {
    return {
      createImageData: (w: number, h: number) => ({ data: new Uint8ClampedArray(4 * w * h) }),
      putImageData: (image: ImageData) => put.set(this, image),
    } as unknown as CanvasRenderingContext2D;
  } as unknown as HTMLCanvasElement["getContext"]);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(width);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(height);
  return {
    put,
    resize: () => {
      for (const run of resizes) run();
    },
    see: (isSeen) => {
      for (const run of sights) run([{ isIntersecting: isSeen }]);
    },
  };
}
