/** Reads a map: which of its values the reader points at, with a pointer or with the arrow keys. */

import { type On, onKeys } from "./dom";
import type { Spot } from "./frame";

/** A value of a map. */
export interface Aim {
  readonly y: number;
  readonly x: number;
  /** Where it stands, to be marked. */
  readonly spot: Spot;
}

export interface Probe {
  /** Aims at the same value again, after the map has changed. */
  refresh(): void;
}

/**
 * @param frame has the focus, and the canvas that shows the map in it
 * @param sizeOf values in a column and in a row; null while there is no map
 * @param onAim takes the value aimed at, or null when the reader leaves
 */
export function makeProbe(
  on: On,
  frame: HTMLElement,
  canvas: HTMLCanvasElement,
  sizeOf: () => { readonly height: number; readonly width: number } | null,
  onAim: (aim: Aim | null) => void,
): Probe {
  let place: readonly [y: number, x: number] | null = null;

  const aim = (y: number, x: number) => {
    const size = sizeOf();
    if (!size) return leave();
    const { height, width } = size;
    const row = Math.max(0, Math.min(height - 1, y));
    const column = Math.max(0, Math.min(width - 1, x));
    place = [row, column];
    onAim({ y: row, x: column, spot: [row / height, column / width, 1 / height, 1 / width] });
  };
  const leave = () => {
    place = null;
    onAim(null);
  };

  on(frame, "pointermove", ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    const size = sizeOf();
    if (!size || !box.width || !box.height) return;
    const y = Math.floor(((clientY - box.top) / box.height) * size.height);
    aim(y, Math.floor(((clientX - box.left) / box.width) * size.width));
  });
  on(frame, "pointerleave", leave);
  on(frame, "blur", leave);
  onKeys(on, frame, (key) => {
    const size = sizeOf();
    if (!size) return false;
    const { height, width } = size;
    const middle = [height >> 1, width >> 1] as const;
    const [y, x] = place ?? middle;
    const targets: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [y - 1, x],
      ArrowDown: [y + 1, x],
      ArrowLeft: [y, x - 1],
      ArrowRight: [y, x + 1],
      Home: [y, 0],
      End: [y, width],
      PageUp: [0, x],
      PageDown: [height, x],
    };
    const target = targets[key];
    if (target) aim(...(place ? target : middle));
    else if (key === "Escape") leave();
    return target !== undefined;
  });

  return { refresh: () => place && aim(...place) };
}
