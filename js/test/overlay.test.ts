import { describe, expect, it } from "vitest";
import file from "../../tests/overlay_vectors.json";
import { type OverlayLook, paintOverlay, paintPicture, resizeField } from "../src/overlay";
import { palette } from "../src/palettes";
import { bytesOf } from "./vectors";

const { resize, paint } = file as unknown as {
  resize: {
    name: string;
    shape: [number, number];
    values: (number | string)[];
    size: [number, number];
    smooth: boolean;
    resized: (number | string)[];
  }[];
  paint: {
    name: string;
    shape: [number, number];
    values: (number | string)[];
    rgb: string | null;
    low: number;
    high: number;
    diverging: boolean;
    opacity: number;
    threshold: number;
    colormap: string;
    rgba: string;
  }[];
};

const floats = (values: (number | string)[]) => Float32Array.from(values, Number);

describe("a map enlarged", () => {
  it.each(resize)("is what Python makes of it: $name", (vector) => {
    const [height, width] = vector.shape;
    const field = { values: floats(vector.values), height, width };
    const ours = resizeField(field, ...vector.size, vector.smooth);
    const wanted = floats(vector.resized);
    expect(ours).toHaveLength(wanted.length);
    wanted.forEach((value, i) => {
      const found = ours[i] as number;
      if (!Number.isFinite(value)) expect(Number.isFinite(found)).toBe(false);
      else expect(Math.abs(found - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
    });
  });
});

it("enlarges a map along one axis alone", () => {
  const values = Float32Array.of(1, 2);
  expect([...resizeField({ values, height: 1, width: 2 }, 1, 4, false)]).toEqual([1, 1, 2, 2]);
  expect([...resizeField({ values, height: 2, width: 1 }, 4, 1, false)]).toEqual([1, 1, 2, 2]);
});

describe("a map over a picture", () => {
  it.each(paint)("has Python's pixels: $name", (vector) => {
    const { low, high, diverging, opacity, threshold, rgb } = vector;
    const look: OverlayLook = {
      colours: palette(vector.colormap),
      range: { low, high },
      diverging,
      opacity,
      threshold,
    };
    const wanted = bytesOf(vector.rgba);
    const pixels = new Uint32Array(wanted.length / 4).fill(0xffffffff);
    paintOverlay(pixels, floats(vector.values), rgb === null ? null : bytesOf(rgb), look);
    expect([...new Uint8Array(pixels.buffer)]).toEqual([...wanted]);
  });

  it("leaves the picture alone where there is none", () => {
    const pixels = new Uint32Array(2);
    paintPicture(pixels, [1, 2, 3, 255, 0, 0]);
    expect([...new Uint8Array(pixels.buffer)]).toEqual([1, 2, 3, 255, 255, 0, 0, 255]);
  });

  it("redraws five maps over a picture of 224 px well within a frame", () => {
    const field = {
      values: Float32Array.from({ length: 196 }, Math.random),
      height: 14,
      width: 14,
    };
    const rgb = new Uint8Array(3 * 224 * 224).fill(100);
    const pixels = new Uint32Array(224 * 224);
    const colours = palette("viridis");
    const range = { low: 0, high: 1 };
    const times: number[] = [];
    for (let round = 0; round < 12; round++) {
      const started = performance.now();
      for (let map = 0; map < 5; map++) {
        const values = resizeField(field, 224, 224, true);
        const look = { colours, range, diverging: false, opacity: 0.5, threshold: 0 };
        paintOverlay(pixels, values, rgb, look);
      }
      times.push(performance.now() - started);
    }
    // Of the quickest: what else the machine does must not fail the test.
    expect(Math.min(...times)).toBeLessThan(12);
  });
});
