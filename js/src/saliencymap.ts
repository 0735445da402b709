/** What a frame of kind "panel:..." holds, read and checked: how far a method is, and its map. */

import { decodeValue } from "./maps";
import type { Values } from "./parameters";
import type { ScoreKind } from "./traits";
import { type Frame, must } from "./wire";

/** What a panel asks for; two equal ones have the same answer in one state of the kernel. */
export interface Question {
  readonly method: string;
  readonly parameters: Values;
  /** Class; null is the top prediction. */
  readonly target: number | null;
  readonly image: number;
  /** For methods at a layer; null is the last with a grid. */
  readonly layer: string | null;
}

/** A map of values, row by row. */
export interface ValueMap {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  /** False while the method is still at work: the values are rounded to 253 levels then. */
  readonly isExact: boolean;
}

/** What is said of a map; passes and seconds are those so far. */
export interface Facts {
  readonly layer: string | null;
  /** What is unusual about it, such as why it is blank, in words, or "". */
  readonly note: string;
  readonly target: number | null;
  readonly name: string;
  /** Null where what is explained is no number. */
  readonly score: number | null;
  readonly scoreKind: ScoreKind | "custom";
  readonly forward: number;
  readonly backward: number;
  readonly seconds: number;
}

export interface Answer {
  readonly seq: number;
  readonly isFinal: boolean;
  /** Passes, while the method is at work. */
  readonly done: number;
  readonly total: number;
  /** Both null while there is nothing yet. */
  readonly map: ValueMap | null;
  readonly facts: Facts | null;
}

function readMap({ arrays: { values, codes, range } }: Frame): ValueMap | null {
  if (values) {
    const { data, shape } = values;
    const [height = 0, width = 0] = shape;
    must(data instanceof Float32Array && height && width, "values is not f4 (h, w)");
    return { values: data, height, width, isExact: true };
  }
  if (!codes) return null;
  const [, height = 0, width = 0] = codes.shape;
  const [low = 0, high = 0] = range?.data ?? [];
  must(codes.data instanceof Uint8Array && height && width, "codes is not u1 (1, h, w)");
  const decoded = Float32Array.from(codes.data, (code) => decodeValue(code, low, high));
  return { values: decoded, height, width, isExact: false };
}

function readFacts({ header }: Frame): Facts {
  const { index, name, score, score_kind: scoreKind } = Object(header.target);
  return {
    layer: header.layer ? `${header.layer}` : null,
    note: header.note ? `${header.note}` : "",
    target: typeof index === "number" ? index : null,
    name: `${name}`,
    score: typeof score === "number" ? score : null,
    scoreKind,
    forward: Number(header.forward),
    backward: Number(header.backward),
    seconds: Number(header.seconds),
  };
}

/**
 * Reads the answer to a panel.
 *
 * @throws WireError if an array is missing or has another shape
 */
export function readAnswer(frame: Frame): Answer {
  const { seq, final, header } = frame;
  const map = readMap(frame);
  must(map || !final, "a finished map has no values");
  const { done = 0, total = 0 } = header;
  const counts = { done: Number(done), total: Number(total) };
  return { seq, isFinal: final, ...counts, map, facts: map && readFacts(frame) };
}
