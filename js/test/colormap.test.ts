import { describe, expect, it } from "vitest";
import { fillLut, isDiverging, makeLuts, modeOf, type Scale, scaleRange } from "../src/colormap";
import { decodeValue, layerExtent, type Maps } from "../src/maps";
import { colormapNames, palette } from "../src/palettes";
import { mapsOf } from "./frames";
import { bytesOf, numberOf, vectors } from "./vectors";

function rgbOf(maps: Maps, scale: Scale, colormap: string): number[] {
  const luts = makeLuts(maps, scale, palette(colormap));
  const size = maps.height * maps.width;
  const rgb: number[] = [];
  for (let channel = 0; channel < maps.channels; channel++) {
    const lut = luts(channel);
    for (let i = 0; i < size; i++) {
      const pixel = lut[maps.codes[channel * size + i] ?? 0] ?? 0;
      rgb.push(pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255);
    }
  }
  return rgb;
}

it.each(vectors.drawing)("draws $name as Python does", (vector) => {
  const maps = mapsOf(vector.shape, vector.codes, vector.low, vector.high);
  const { scale } = vector;
  const layer = layerExtent(maps);
  vector.low.forEach((low, channel) => {
    const range = scaleRange(scale, { low, high: vector.high[channel] ?? 0 }, layer);
    expect(range.low).toBeCloseTo(vector.range_low[channel] ?? Number.NaN, 12);
    expect(range.high).toBeCloseTo(vector.range_high[channel] ?? Number.NaN, 12);
  });
  expect(rgbOf(maps, scale, vector.colormap)).toEqual([...bytesOf(vector.rgb)]);
});

it.each(vectors.quantise)("decodes $name", ({ low, high, codes, decoded }) => {
  const size = codes.length / Math.max(1, low.length);
  const values = codes.map((code, i) => {
    const channel = Math.floor(i / size);
    return decodeValue(code, low[channel] ?? 0, high[channel] ?? 0);
  });
  expect(values).toEqual(decoded.map(numberOf));
});

describe("makeLuts", () => {
  it("shares a table between channels and still follows the rule bit for bit", () => {
    let random = 11;
    const next = () => {
      random = (random * 48_271) % 2_147_483_647;
      return random / 2_147_483_647;
    };
    const low = Float32Array.from({ length: 400 }, (_, i) => (next() - 0.5) * 10 ** ((i % 13) - 6));
    const high = low.map((value, i) => value + next() * 10 ** ((i % 9) - 6));
    const maps = mapsOf([400, 1, 1], new Array<number>(400).fill(0), [...low], [...high]);
    const scale: Scale = { mode: "channel", low: 0, high: 1, diverging: false };
    const luts = makeLuts(maps, scale, palette("gray"));
    const expected = new Uint32Array(256);
    for (let channel = 0; channel < 400; channel++) {
      const own = { low: low[channel] ?? 0, high: high[channel] ?? 0 };
      fillLut(expected, own, own, scale, palette("gray"));
      expect(luts(channel)).toEqual(expected);
    }
  });
});

it("draws maps of one value on one scale, unless the reader has fixed another", () => {
  const single = mapsOf([2, 1, 1], [0, 0], [1, 2], [1, 2]);
  expect(modeOf(single, "channel")).toBe("layer");
  expect(modeOf(single, "fixed")).toBe("fixed");
  expect(modeOf({ ...single, fullWidth: 2 }, "channel")).toBe("channel");
});

it("lists the sequential colormaps first", () => {
  expect(colormapNames[0]).toBe("viridis");
  expect(colormapNames.filter(isDiverging)).toEqual(["coolwarm"]);
  expect(palette("no such map").table).toEqual(palette("viridis").table);
});
