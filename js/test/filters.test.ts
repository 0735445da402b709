import { describe, expect, it } from "vitest";
import {
  deadNorm,
  estimateBank,
  filterOrder,
  largestOf,
  orderBy,
  readBank,
  readLikeness,
  scaleEnd,
  twinOf,
  weightEnd,
} from "../src/filters";
import type { Frame } from "../src/wire";
import { bankOf, filterEntry } from "./filtermodel";

const BOUNDS = { dead: 0.02, twin: 0.99 };

function frameOf(header: object, arrays: Frame["arrays"]): Frame {
  const base = { type: "frame", cid: "a", seq: 4, kind: "layer", params: {}, epoch: 1 } as const;
  return { ...base, final: true, header: header as Frame["header"], arrays, bytes: 0 };
}

const CODES = { shape: [2, 1, 1, 3], data: Uint8Array.from([0, 126, 252, 0, 63, 252]) };
const FACTS = { shape: [5, 2], data: Float32Array.from([1, 2, -1, -2, 1, 2, 0, 0.5, 3, 4]) };

describe("a frame of filters", () => {
  it("is read by rows of facts", () => {
    const zeros = { shape: [2], data: Uint32Array.from([1, 0]) };
    const header = { kind_of: "kernels", signed: true, factor: 2 };
    const bank = readBank(frameOf(header, { codes: CODES, facts: FACTS, zeros }));
    expect(bank).toMatchObject({ form: "kernels", seq: 4, filters: 2, signed: true, factor: 2 });
    expect(bank.sides).toEqual([1, 1, 3]);
    expect([...bank.ends]).toEqual([1, 2]);
    expect([...bank.minimum]).toEqual([-1, -2]);
    expect([...bank.maximum]).toEqual([1, 2]);
    expect([...bank.mean]).toEqual([0, 0.5]);
    expect([...bank.norm]).toEqual([3, 4]);
    expect([...bank.zeros]).toEqual([1, 0]);
    expect(bank.likeness).toBeNull();
  });

  it.each([
    ["codes", { facts: FACTS }],
    ["codes", { codes: { ...CODES, shape: [2, 3] }, facts: FACTS }],
    ["facts", { codes: CODES }],
    ["facts", { codes: CODES, facts: { shape: [1], data: Float32Array.from([1]) } }],
  ])("is refused where %s is not as it must be", (name, arrays) => {
    expect(() => readBank(frameOf({ kind_of: "matrix" }, arrays))).toThrow(name);
  });

  it("may say which filters are alike", () => {
    const row = { shape: [2], data: Uint32Array.from([1, 0]) };
    const cosine = { shape: [2], data: Float32Array.from([0.5, 0.5]) };
    const found = readLikeness(frameOf({}, { nearest: row, cosine, order: row }));
    expect([...(found?.order ?? [])]).toEqual([1, 0]);
    expect(readLikeness(frameOf({ note: "too many" }, {}))).toBeNull();
    expect(readLikeness(null)).toBeNull();
    expect(readLikeness(frameOf({}, { cosine, order: row }))).toBeNull();
    expect(readLikeness(frameOf({}, { nearest: row, order: row }))).toBeNull();
    expect(readLikeness(frameOf({}, { nearest: row, cosine }))).toBeNull();
  });
});

it("takes the largest finite magnitude", () => {
  expect(largestOf(Float32Array.from([1, -3, NaN, Infinity, -Infinity]))).toBe(3);
  expect(largestOf(new Float32Array())).toBe(0);
});

describe("scales", () => {
  const bank = bankOf({ ends: [1, 3], minimum: [-0.5, -7], maximum: [1, 2] });

  it("end at the layer's largest or at the filter's own", () => {
    expect([0, 1].map((filter) => scaleEnd(bank, "layer", filter))).toEqual([3, 3]);
    expect([0, 1].map((filter) => scaleEnd(bank, "filter", filter))).toEqual([1, 3]);
  });

  it("of single weights reach their largest magnitude", () => {
    expect([0, 1].map((filter) => weightEnd(bank, "layer", filter))).toEqual([7, 7]);
    expect([0, 1].map((filter) => weightEnd(bank, "filter", filter))).toEqual([1, 7]);
  });
});

describe("marks and orders", () => {
  const likeness = {
    nearest: Uint32Array.from([1, 0, 2]),
    cosine: Float32Array.from([0.995, 0.995, 0]),
    order: Uint32Array.from([2, 0, 1]),
  };
  const bank = bankOf({ norm: [2, 2, 0.01], likeness });

  it("call dead what is small beside the largest", () => {
    expect(deadNorm(bank, BOUNDS)).toBeCloseTo(0.04);
  });

  it("name the twin of a filter, if it has one", () => {
    expect([0, 1, 2].map((filter) => twinOf(bank, filter, BOUNDS))).toEqual([1, 0, -1]);
    expect(twinOf(bankOf({ norm: [1] }), 0, BOUNDS)).toBe(-1);
  });

  it("put the largest first, equal ones by index, or neighbours together", () => {
    expect([...filterOrder(bank, "index")]).toEqual([0, 1, 2]);
    expect([...filterOrder(bank, "norm")]).toEqual([0, 1, 2]);
    expect([...filterOrder(bank, "similarity")]).toEqual([2, 0, 1]);
    expect([...filterOrder(bankOf({ norm: [1, 5, 5] }), "norm")]).toEqual([1, 2, 0]);
    expect([...filterOrder(bankOf({ norm: [1, 5] }), "similarity")]).toEqual([0, 1]);
    expect([...orderBy([3, 1], false)]).toEqual([0, 1]);
  });
});

it("estimates what a frame weighs, not what the weights do", () => {
  const conv = filterEntry("conv", 0, { filters: 2048, inputs: 512, kernel: [1, 3, 3] });
  expect(estimateBank(conv, 900)).toBe(2048 * (9 + 36));
  const pairs = filterEntry("pairs", 2, { filters: 3, inputs: 512, kernel: [1, 1, 2] });
  expect(estimateBank(pairs, 900)).toBe(3 * (2 + 36));
  const dense = filterEntry("fc", 1, { filters: 10, inputs: 5000, kernel: [1, 1, 1], axes: 0 });
  expect(estimateBank(dense, 900)).toBe(10 * (900 + 36));
});
