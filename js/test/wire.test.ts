import { describe, expect, it } from "vitest";
import { decode, readArrays, WireError } from "../src/wire";
import { numberOf, vectors, viewOf } from "./vectors";

describe("decode", () => {
  it.each(vectors.messages)("reads $name", ({ header, payload, byte_offset, arrays }) => {
    const buffers = payload === null ? [] : [viewOf(payload, byte_offset)];
    const message = decode(header, buffers);
    expect(message.type).toBe(header.type);
    if (message.type !== "frame") return;
    const { seq, kind, epoch, final } = header;
    expect(message).toMatchObject({ seq, kind, epoch, final });
    expect(Object.keys(message.arrays)).toEqual(Object.keys(arrays));
    for (const [name, expected] of Object.entries(arrays)) {
      expect(message.arrays[name]?.shape).toEqual(expected.shape);
      expect([...(message.arrays[name]?.data ?? [])]).toEqual(expected.values.map(numberOf));
    }
  });

  it.each(vectors.broken)("refuses $name", ({ header, payload }) => {
    expect(() => readArrays(header, viewOf(payload, 0))).toThrow(WireError);
  });

  it("does not copy an aligned buffer", () => {
    const buffer = new ArrayBuffer(32);
    const header = { arrays: [{ name: "a", dtype: "f4", shape: [2], offset: 8 }] };
    const { a } = readArrays(header, new DataView(buffer, 8, 24));
    expect(a?.data.buffer).toBe(buffer);
    expect(a?.data.byteOffset).toBe(16);
  });

  it.each([
    [null, "not an object"],
    [{ type: "hello", cid: "a" }, "type is hello"],
    [{ type: "welcome", v: 1, cid: "a" }, "epoch is undefined"],
    [{ type: "err", cid: "a", seq: 1, message: null }, "message is null, not a text"],
  ])("says what is wrong with %j", (content, text) => {
    expect(() => decode(content)).toThrow(text);
  });

  it("reads an error that belongs to no request", () => {
    const content = { type: "err", cid: "a", seq: null, kind: null, message: "no", hint: "so" };
    expect(decode(content)).toEqual({ ...content, seq: -1, kind: "" });
  });

  it("reads an error and its hint", () => {
    const content = { type: "err", cid: "a", seq: 3, kind: "layer", message: "no", hint: null };
    expect(decode(content)).toEqual(content);
  });
});
