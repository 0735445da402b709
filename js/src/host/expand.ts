/**
 * Puts the arrays of a page's answers back into memory. How they were made small is told in
 * cnnviz_widgets/export/codec.py; both compute in float64, so that both find the same codes.
 */

/** "same": the source's codes; "sum": of one or two; "max", "mean": over windows. */
type Rule = readonly [operation: string, sources: readonly number[], window: readonly number[]];

type MapPiece = readonly [
  /** Where the frame begins, and the codes in it. */
  frame: number,
  at: number,
  shape: readonly [channels: number, height: number, width: number],
  facts: number,
  /** Whether means and variances, which come after the ends of ranges, follow from the codes. */
  isWhole: boolean,
  steps: number,
  rule: Rule | null,
  /** A letter for each channel: "0" stored, "1" follows, "2" follows with its codes reversed. */
  kinds: string,
];

type Run = readonly [count: number, height: number, width: number];

/** What is in the memory, in the order in which the bytes of it come. */
export interface Expansion {
  readonly size: number;
  readonly raw: readonly (readonly [at: number, size: number])[];
  /**
   * Runs of planes of one size, of which is stored what is left after a guess. Steps of 0 stand for a
   * picture: three planes, how much red is above green, green, and how much blue is above green.
   */
  readonly pictures: readonly (readonly [at: number, steps: number, runs: readonly Run[]])[];
  readonly floats: readonly (readonly [at: number, count: number])[];
  readonly maps: readonly MapPiece[];
}

/** Codes of maps, and the ranges that they are on. */
interface Maps {
  readonly codes: Uint8Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly height: number;
  readonly width: number;
}

const LEVELS = 252;

/** Values from what is left of them after a guess: the median of left, above, and their plane. */
function restore(levels: Uint8Array, channels: number, height: number, width: number): void {
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const left = x ? (levels[at - 1] as number) : 0;
        const above = y ? (levels[at - width] as number) : 0;
        const corner = x && y ? (levels[at - width - 1] as number) : 0;
        const small = Math.min(left, above);
        const large = Math.max(left, above);
        const plane = left + above - corner;
        const guess = corner >= large ? small : corner <= small ? large : plane;
        levels[at] = (levels[at] as number) + guess;
      }
    }
  }
}

/** The values of one channel. */
function valuesOf({ codes, low, high, height, width }: Maps, channel: number): Float64Array {
  const size = height * width;
  const start = low[channel] as number;
  const span = (high[channel] as number) - start;
  const own = codes.subarray(channel * size, (channel + 1) * size);
  return Float64Array.from(own, (code) => start + span * (code / LEVELS));
}

function pool(values: Float64Array, { height, width }: Maps, to: Maps, rule: Rule): Float64Array {
  const [operation, , [size = 1, stride = 1, padding = 0]] = rule;
  const pooled = new Float64Array(to.height * to.width);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      let [sum, count, most] = [0, 0, -Infinity];
      for (let dy = 0; dy < size; dy++) {
        for (let dx = 0; dx < size; dx++) {
          const [row, column] = [y * stride + dy - padding, x * stride + dx - padding];
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          const value = values[row * width + column] as number;
          sum += value;
          count += 1;
          most = Math.max(most, value);
        }
      }
      pooled[y * to.width + x] = operation === "max" ? most : sum / count;
    }
  }
  return pooled;
}

/** Writes the codes of one channel that follow from other maps. */
function follow(to: Maps, channel: number, rule: Rule, sources: readonly Maps[]): void {
  const size = to.height * to.width;
  const own = to.codes.subarray(channel * size, (channel + 1) * size);
  const [operation, , window] = rule;
  const [first, second] = sources;
  if (!first) return;
  if (operation === "same") {
    own.set(first.codes.subarray(channel * size, (channel + 1) * size));
    return;
  }
  let values = valuesOf(first, channel);
  if (second) {
    const added = valuesOf(second, channel);
    values = values.map((value, i) => value + (added[i] as number));
  }
  if (window.length > 0) values = pool(values, first, to, rule);
  const start = to.low[channel] as number;
  const span = (to.high[channel] as number) - start;
  values.forEach((value, i) => {
    const level = span > 0 ? Math.floor(((value - start) / span) * LEVELS + 0.5) : 0;
    own[i] = Math.max(0, Math.min(LEVELS, level));
  });
}

/** Writes the mean of each channel, and then the variances. */
function describe(maps: Maps, facts: Float32Array): void {
  const channels = maps.low.length;
  for (let channel = 0; channel < channels; channel++) {
    const values = valuesOf(maps, channel);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    facts[channel] = mean;
    facts[channels + channel] =
      values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  }
}

/** Reads the arrays of frames; maps are put together when they are first asked for. */
export interface Memory {
  read(start: number, size: number): DataView;
}

/** Memory from the bytes that the page holds. */
export function openMemory(stream: Uint8Array, expansion: Expansion): Memory {
  const memory = new ArrayBuffer(expansion.size);
  const bytes = new Uint8Array(memory);
  let at = 0;
  const take = (size: number): Uint8Array => {
    at += size;
    return stream.subarray(at - size, at);
  };
  for (const [start, size] of expansion.raw) bytes.set(take(size), start);
  for (const [start, steps, runs] of expansion.pictures) {
    let to = start;
    for (const [count, height, width] of runs) {
      const planes = take(count * height * width).slice();
      restore(planes, count, height, width);
      if (steps) widen(planes, steps);
      bytes.set(steps ? planes : interleaved(planes), to);
      to += planes.length;
    }
  }
  const count = expansion.floats.reduce((sum, [, floats]) => sum + floats, 0);
  const planes = take(4 * count);
  let float = 0;
  for (const [start, floats] of expansion.floats) {
    for (let i = 0; i < floats; i++, float++) {
      for (let part = 0; part < 4; part++) {
        bytes[start + 4 * i + part] = planes[part * count + float] as number;
      }
    }
  }

  const frames = new Map<number, number>();
  const levels = expansion.maps.map(
    ([frame, , [channels, height, width], , , , rule, kinds], i) => {
      frames.set(frame, i);
      const stored = rule ? [...kinds].filter((kind) => kind === "0").length : channels;
      return take(stored * height * width);
    },
  );
  const known = new Map<number, Maps>();

  const mapsOf = (number: number): Maps => {
    const found = known.get(number);
    if (found) return found;
    const piece = expansion.maps[number] as MapPiece;
    const sources = (piece[6]?.[1] ?? []).map(mapsOf);
    const made = expandMaps(memory, piece, (levels[number] as Uint8Array).slice(), sources);
    known.set(number, made);
    return made;
  };

  return {
    read(start, size) {
      const number = frames.get(start);
      if (number !== undefined) mapsOf(number);
      return new DataView(memory, start, size);
    },
  };
}

/** Puts maps into memory, from what is stored of them and those that they follow from. */
function expandMaps(
  memory: ArrayBuffer,
  piece: MapPiece,
  levels: Uint8Array,
  sources: readonly Maps[],
): Maps {
  const [, start, [channels, height, width], facts, isWhole, steps, rule, kinds] = piece;
  const size = height * width;
  const codes = new Uint8Array(memory, start, channels * size);
  const low = new Float32Array(memory, facts, channels);
  const high = new Float32Array(memory, facts + 4 * channels, channels);
  const maps = { codes, low, high, height, width };
  restore(levels, levels.length / size, height, width);
  widen(levels, steps);
  for (let channel = 0, at = 0; channel < channels; channel++) {
    const own = codes.subarray(channel * size, (channel + 1) * size);
    const kind = rule ? kinds[channel] : "0";
    if (!rule || kind === "0") {
      own.set(levels.subarray(at, at + size));
      at += size;
    } else follow(maps, channel, rule, sources);
    if (kind === "2") {
      own.forEach((code, i) => {
        own[i] = LEVELS - code;
      });
    }
  }
  if (isWhole) describe(maps, new Float32Array(memory, facts + 8 * channels, 2 * channels));
  return maps;
}

/** Makes codes of levels that are as many steps apart. */
function widen(levels: Uint8Array, steps: number): void {
  if (steps === LEVELS) return;
  levels.forEach((level, i) => {
    levels[i] = Math.floor(level * (LEVELS / steps) + 0.5);
  });
}

/** Red, green and blue side by side, from their planes. */
function interleaved(planes: Uint8Array): Uint8Array {
  const size = planes.length / 3;
  const rgb = new Uint8Array(planes.length);
  for (let i = 0; i < size; i++) {
    const green = planes[size + i] as number;
    rgb[3 * i] = (planes[i] as number) + green;
    rgb[3 * i + 1] = green;
    rgb[3 * i + 2] = (planes[2 * size + i] as number) + green;
  }
  return rgb;
}
