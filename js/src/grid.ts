/**
 * Where the tiles of a grid stand. All sizes are device pixels; the pitch depends on the view and
 * the tile size alone, never on the layer, so that nothing moves while sliding.
 */

export interface GridSpace {
  readonly width: number;
  readonly height: number;
  readonly tile: number;
  /** Least space between two tiles. */
  readonly gap: number;
  /** Height of the strip for the channel's number under a tile. */
  readonly label: number;
}

export interface Grid extends GridSpace {
  readonly columns: number;
  readonly pitchX: number;
  readonly pitchY: number;
}

/** Columns that fit, and the pitch that spreads them over the width. */
export function layoutGrid(space: GridSpace): Grid {
  const { width, tile, gap, label } = space;
  const columns = Math.max(1, Math.floor((width + gap) / (tile + gap)));
  const spare = columns > 1 ? Math.floor((width - columns * tile) / (columns - 1)) : gap;
  const pitchX = tile + Math.max(gap, Math.min(spare, gap + Math.floor(tile / 5)));
  return { ...space, columns, pitchX, pitchY: tile + label + gap };
}

export function rowCount(grid: Grid, count: number): number {
  return Math.ceil(count / grid.columns);
}

/** Height of all rows together. */
export function contentHeight(grid: Grid, count: number): number {
  return Math.max(0, rowCount(grid, count) * grid.pitchY - grid.gap);
}

/** The scroll offset nearest to `scroll` that the content allows. */
export function clampScroll(grid: Grid, count: number, scroll: number): number {
  return Math.max(0, Math.min(scroll, contentHeight(grid, count) - grid.height));
}

/** Places of the cells that show at a scroll offset, the last one excluded. */
export function visiblePlaces(grid: Grid, count: number, scroll: number): [number, number] {
  const { columns, height, pitchY } = grid;
  const first = Math.max(0, Math.floor(scroll / pitchY)) * columns;
  return [first, Math.min(count, Math.ceil((scroll + height) / pitchY) * columns)];
}

/** Top left corner of a cell within the content. */
export function cellOrigin(grid: Grid, place: number): { x: number; y: number } {
  const row = Math.floor(place / grid.columns);
  return { x: (place - row * grid.columns) * grid.pitchX, y: row * grid.pitchY };
}

/** The cell at a point of the content, or -1 between cells and behind the last one. */
export function cellAt(grid: Grid, count: number, x: number, y: number): number {
  const column = Math.floor(x / grid.pitchX);
  const row = Math.floor(y / grid.pitchY);
  if (x < 0 || y < 0 || column >= grid.columns || x - column * grid.pitchX >= grid.tile) return -1;
  if (y - row * grid.pitchY >= grid.tile + grid.label) return -1;
  const place = row * grid.columns + column;
  return place < count ? place : -1;
}

/** Whole-number scale of a map in its tile, and where the map then stands in it. */
export function placeMap(
  tile: number,
  height: number,
  width: number,
): { scale: number; dx: number; dy: number } {
  const scale = Math.max(1, Math.floor(tile / Math.max(height, width)));
  return {
    scale,
    dx: Math.max(0, Math.floor((tile - width * scale) / 2)),
    dy: Math.max(0, Math.floor((tile - height * scale) / 2)),
  };
}

/**
 * Where a key leads from cell `place`, which is where it stays if there is nothing further.
 *
 * @returns null for a key that does not move
 */
export function moveCell(grid: Grid, count: number, place: number, key: string): number | null {
  const { columns, height, pitchY } = grid;
  const page = Math.max(1, Math.floor(height / pitchY));
  const rowsAbove = Math.floor(place / columns);
  const rowsBelow = Math.floor((count - 1 - place) / columns);
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -place,
    End: count - 1 - place,
    PageUp: -columns * Math.min(page, rowsAbove),
    PageDown: columns * Math.min(page, rowsBelow),
  };
  const step = steps[key];
  if (step === undefined) return null;
  const target = place + step;
  return target >= 0 && target < count ? target : place;
}
