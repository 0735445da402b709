import { describe, expect, it } from "vitest";
import { channelValues, isDead, layerExtent, readLayer, specialValues } from "../src/maps";
import { decode, type Frame, WireError } from "../src/wire";
import { mapsOf } from "./frames";
import { vectors, viewOf } from "./vectors";

function frameOf(name: string): Frame {
  const vector = vectors.messages.find((message) => message.name === name);
  if (!vector) throw new Error(`no vector ${name}`);
  const message = decode(vector.header, [viewOf(vector.payload ?? "", vector.byte_offset)]);
  if (message.type !== "frame") throw new Error("not a frame");
  return message;
}

describe("readLayer", () => {
  it("reads maps and takes the range for minimum and maximum where none are sent", () => {
    const maps = readLayer(frameOf("maps with NaN, infinities and a constant"));
    if (maps.is !== "maps") throw new Error(maps.is);
    expect([maps.channels, maps.height, maps.width]).toEqual([5, 2, 3]);
    expect([maps.minimum, maps.maximum]).toEqual([maps.low, maps.high]);
    expect([...maps.mean]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect([...maps.variance]).toEqual([2, 2.25, 2.5, 2.75, 3]);
    expect([...maps.zeros]).toEqual([0, 1, 2, 3, 4]);
  });

  it("reads the statistics of maps that were reduced", () => {
    const maps = readLayer(frameOf("odd sizes need padding"));
    if (maps.is !== "maps") throw new Error(maps.is);
    expect([maps.factor, maps.fullHeight, maps.fullWidth]).toEqual([2, 14, 10]);
    expect([...maps.high]).toEqual([34, 69, 104]);
    expect([...maps.minimum]).toEqual([-1, 34, 69]);
    expect([...maps.maximum]).toEqual([35, 70, 105]);
  });

  it("reads vectors and questions", () => {
    const vector = readLayer(frameOf("vector"));
    expect(vector.is === "vector" && [...vector.values]).toEqual([-1.25, 0, 3.5]);
    const question = readLayer(frameOf("layout to ask about"));
    expect(question).toMatchObject({ is: "ask", note: "(2, 50, 64) may be NLC or NCL" });
  });

  it("refuses a frame without its arrays", () => {
    const frame = frameOf("maps with NaN, infinities and a constant");
    const { statistics: _, ...arrays } = frame.arrays;
    expect(() => readLayer({ ...frame, arrays })).toThrow(WireError);
    expect(() => readLayer({ ...frame, header: {} })).toThrow("kind_of is undefined");
  });
});

describe("numbers of a layer", () => {
  const codes = [0, 252, 126, 253, 0, 0, 253, 254, 255, 253, 253, 253];
  const maps = mapsOf([4, 1, 3], codes, [-1, 2, 0, 0], [1, 2, 0, 0]);

  it("are decoded", () => {
    expect([...channelValues(maps, 0)]).toEqual([-1, 1, 0]);
    expect([...channelValues(maps, 2)]).toEqual([Number.NaN, Infinity, -Infinity]);
  });

  it("span the channels that have finite values", () => {
    expect(layerExtent(maps)).toEqual({ low: -1, high: 2 });
    const positive = mapsOf([2, 1, 1], [253, 0], [0, 3], [0, 4]);
    expect(layerExtent(positive)).toEqual({ low: 3, high: 4 });
    expect(layerExtent(mapsOf([1, 1, 1], [253], [0], [0]))).toEqual({ low: 0, high: 0 });
  });

  it("tell which are no numbers", () => {
    expect(specialValues(maps)).toEqual({ nan: true, posinf: true, neginf: true });
    expect(specialValues(mapsOf([1, 1, 1], [7], [0], [1]))).toEqual({
      nan: false,
      posinf: false,
      neginf: false,
    });
  });

  it("tell which channels are dead", () => {
    expect([0, 1, 2, 3].map((channel) => isDead(maps, channel))).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });

  it("call a channel of a single value dead only where that is 0", () => {
    const pooled = mapsOf([2, 1, 1], [0, 0], [2.5, 0], [2.5, 0]);
    expect([0, 1].map((channel) => isDead(pooled, channel))).toEqual([false, true]);
  });
});
