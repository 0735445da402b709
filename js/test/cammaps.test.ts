import { describe, expect, it } from "vitest";
import {
  fieldOf,
  peakOf,
  rangeOf,
  readExact,
  readMaps,
  readScores,
  valuesOf,
} from "../src/cammaps";
import { type Frame, WireError } from "../src/wire";

function frame(changes: object = {}, arrays: Frame["arrays"] = {}): Frame {
  const rest = { cid: "a", seq: 4, epoch: 1, final: false, bytes: 0 };
  const made = { kind: "maps", params: { layer: "conv" }, header: {}, ...rest, ...changes };
  return { type: "frame", ...made, arrays };
}

const MAPS = frame(
  { header: { layers: ["conv", "relu"], notes: ["Every value is zero."] } },
  {
    table: {
      shape: [2, 7],
      data: Uint32Array.from([0, 3, 1, 3, 0, 0, 1, 1, 3, 1, 2, 1, 1, 0]),
    },
    ranges: { shape: [2, 2], data: Float32Array.from([-10, 0.25, 0, 0]) },
    codes: { shape: [8], data: Uint8Array.from([0, 252, 0, 0, 252, 126, 0, 253]) },
  },
);

describe("a frame of maps", () => {
  it("is read map by map, with its layer, class and status", () => {
    const [first, second, ...more] = readMaps(MAPS);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ layer: "conv", target: 3, seq: 4, status: "ok", note: "" });
    expect(second).toMatchObject({ layer: "relu", status: "empty", note: "Every value is zero." });
    expect([second?.height, second?.width, second?.isSigned]).toEqual([1, 2, false]);
  });

  it("keeps a small positive part as fine as a large negative one", () => {
    const [first, second] = readMaps(MAPS);
    expect(first && [...valuesOf(first)]).toEqual([-10, 0.25, -5]);
    expect(second && [...valuesOf(second)]).toEqual([0, Number.NaN]);
  });

  it("is refused where it does not fit", () => {
    const { table, ranges, codes } = MAPS.arrays;
    if (!table || !ranges || !codes) throw new Error("no arrays");
    const short = { shape: [3], data: Uint8Array.from([1, 2, 3]) };
    expect(() => readMaps({ ...MAPS, arrays: { table, ranges, codes: short } })).toThrow(WireError);
    expect(() => readMaps({ ...MAPS, arrays: { ranges, codes } })).toThrow("table is not u4");
    expect(() => readMaps({ ...MAPS, arrays: { table, ranges: short, codes } })).toThrow("ranges");
  });
});

describe("a frame of exact maps", () => {
  it("is read with its values, whole or so far", () => {
    const values = { shape: [2, 1, 2], data: Float32Array.from([1, 2, 3, 4]) };
    const header = { classes: [3, 5], statuses: [0, 3], notes: [null, "NaN."] };
    const [first, second] = readExact(frame({ header, final: true }, { values }));
    expect(first).toMatchObject({ layer: "conv", target: 3, isFinal: true, note: "" });
    expect(second).toMatchObject({ target: 5, status: "nonfinite", note: "NaN." });
    expect(second && [...valuesOf(second)]).toEqual([3, 4]);
    expect(readExact(frame({ header }, { values }))[0]?.isFinal).toBe(false);
    expect(() => readExact(frame())).toThrow("values is not f4");
  });
});

it("reads the scores of classes, and that there is no probability", () => {
  const scores = [{ index: 2, score: 1.5, score_kind: "logit", probability: null }];
  expect(readScores(frame({ header: { scores } }))).toEqual([
    { index: 2, score: 1.5, kind: "logit", probability: null },
  ]);
  expect(readScores(frame())).toEqual([]);
});

describe("what is drawn", () => {
  it("is rectified or signed, and its scale follows", () => {
    const [map] = readMaps(MAPS);
    if (!map) throw new Error("no map");
    expect([...fieldOf(map, "signed").values]).toEqual([-10, 0.25, -5]);
    expect([...fieldOf(map, "map").values]).toEqual([0, 0.25, 0]);
    expect(rangeOf("signed", 10)).toEqual({ low: -10, high: 10 });
    expect(rangeOf("rectified", 10)).toEqual({ low: 0, high: 10 });
  });

  it("has its peak at the largest finite value", () => {
    expect(peakOf(Float32Array.from([1, -3, Number.NaN, Infinity, -Infinity]))).toBe(3);
    expect(peakOf(new Float32Array())).toBe(0);
  });
});
