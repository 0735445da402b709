/** The line around what lies above a threshold: marching squares, as one SVG path. */

/** Cells along the longer side at most: the line is smooth at any size, and quick to make. */
const MOST_CELLS = 112;

/**
 * Sides of a cell (0 top, 1 right, 2 bottom, 3 left) that the line joins, by which corners are
 * inside: 1 top left, 2 top right, 4 bottom right, 8 bottom left.
 */
const JOINS: readonly (readonly number[])[] = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 0, 1, 2],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 1, 2, 3],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];

/**
 * The line where values cross `level`, in pixels of the map, as the `d` of a path.
 *
 * @param values row by row; what is not a number is outside
 */
export function contourPath(
  values: ArrayLike<number>,
  height: number,
  width: number,
  level: number,
): string {
  const step = Math.max(1, Math.ceil(Math.max(height, width) / MOST_CELLS));
  const pieces: string[] = [];
  const above = (y: number, x: number) => (values[y * width + x] as number) - level;
  for (let y = 0; y + step < height; y += step) {
    for (let x = 0; x + step < width; x += step) {
      const corners = [
        above(y, x),
        above(y, x + step),
        above(y + step, x + step),
        above(y + step, x),
      ] as const;
      let inside = 0;
      for (let n = 0; n < 4; n++) if ((corners[n] as number) >= 0) inside |= 1 << n;
      const joins = JOINS[inside] as readonly number[];
      for (let n = 0; n < joins.length; n++) {
        const side = joins[n] as number;
        const from = corners[side] as number;
        const to = corners[(side + 1) % 4] as number;
        const ratio = from / (from - to);
        const share = step * (Number.isFinite(ratio) ? ratio : 0.5);
        // Clockwise: along the top, down the right side, back along the bottom, up the left side.
        const along = side < 2 ? share : step - share;
        const px = x + 0.5 + (side % 2 ? (side === 1 ? step : 0) : along);
        const py = y + 0.5 + (side % 2 ? along : side === 0 ? 0 : step);
        pieces.push(`${n % 2 ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`);
      }
    }
  }
  return pieces.join("");
}
