import { describe, expect, it } from "vitest";
import { type Expansion, openMemory } from "../../src/host/expand";
import { fromText } from "../../src/host/page";

const NONE: Expansion = { size: 0, raw: [], pictures: [], floats: [], maps: [] };

function bytesOf(view: DataView): number[] {
  return [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
}

describe("letters", () => {
  it("are four bytes for five, as Python writes them", () => {
    // base64.b85encode(b"\x00\x01\xfe\xff<>hi!").replace(b"<", b",")
    expect([...fromText("00I90JU(b?Ap")]).toEqual([0, 1, 254, 255, 60, 62, 104, 105, 33]);
    expect([...fromText("")]).toEqual([]);
  });
});

describe("memory", () => {
  it("has raw bytes where they belong", () => {
    const memory = openMemory(Uint8Array.from([1, 2, 3]), { ...NONE, size: 8, raw: [[4, 3]] });
    expect(bytesOf(memory.read(3, 5))).toEqual([0, 1, 2, 3, 0]);
  });

  it("puts the planes of floats together", () => {
    // 1.5 is 00 00 c0 3f and -2 is 00 00 00 c0, first bytes first.
    const stream = Uint8Array.from([0, 0, 0, 0, 0xc0, 0, 0x3f, 0xc0]);
    const memory = openMemory(stream, { ...NONE, size: 8, floats: [[0, 2]] });
    const view = memory.read(0, 8);
    expect([view.getFloat32(0, true), view.getFloat32(4, true)]).toEqual([1.5, -2]);
  });

  it("undoes the guess of a picture and of its colours", () => {
    // One row of two pixels; planes: red above green, green, blue above green.
    const stream = Uint8Array.from([10, 0, 100, 5, 255, 0]);
    const picture = { ...NONE, size: 6, pictures: [[0, 0, [[3, 1, 2]]]] } as Expansion;
    expect(bytesOf(openMemory(stream, picture).read(0, 6))).toEqual([110, 100, 99, 115, 105, 104]);
  });

  it("widens the steps of planes", () => {
    const planes = { ...NONE, size: 4, pictures: [[0, 36, [[1, 2, 2]]]] } as Expansion;
    // Residuals of [[0, 36], [18, 36]] by the median of left, above and their plane.
    const memory = openMemory(Uint8Array.from([0, 36, 18, 0]), planes);
    expect(bytesOf(memory.read(0, 4))).toEqual([0, 252, 126, 252]);
  });

  it("works out maps from those that they follow", () => {
    // One channel of 1 x 4, from -1 to 1; then its positive part, and its negative.
    const floats = new Float32Array([-1, 1, 0, 1, -1, 1]);
    const words = new Uint8Array(floats.buffer);
    const planes = [0, 1, 2, 3].flatMap((part) => [...words].filter((_, i) => i % 4 === part));
    const levels = [0, 12, 12, 12]; // residuals of 0, 12, 24, 36 of 36 steps
    const piece = (frame: number) => [frame, frame, [1, 1, 4], frame + 8, false] as const;
    const memory = openMemory(Uint8Array.from([...planes, ...levels]), {
      ...NONE,
      size: 48,
      floats: [0, 16, 32].map((frame) => [frame + 8, 2] as const),
      maps: [
        [...piece(0), 36, null, ""],
        [...piece(16), 36, ["sum", [0], []], "1"],
        [...piece(32), 36, ["same", [0], []], "2"],
      ],
    });
    expect(bytesOf(memory.read(32, 4))).toEqual([252, 168, 84, 0]);
    expect(bytesOf(memory.read(16, 4))).toEqual([0, 0, 84, 252]);
    expect(bytesOf(memory.read(0, 4))).toEqual([0, 84, 168, 252]);
  });
});
