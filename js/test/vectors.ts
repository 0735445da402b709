/** Reads tests/wire_vectors.json, which the Python tests read too. */

import file from "../../tests/wire_vectors.json";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Entry = Record<string, Json>;

interface Vectors {
  messages: (Entry & {
    name: string;
    header: Entry;
    payload: string | null;
    byte_offset: number;
    arrays: Record<string, { dtype: string; shape: number[]; values: Json[] }>;
  })[];
  broken: { name: string; header: Entry; payload: string }[];
  quantise: {
    name: string;
    low: number[];
    high: number[];
    shape: number[];
    codes: number[];
    decoded: Json[];
  }[];
  drawing: {
    name: string;
    shape: number[];
    codes: number[];
    low: number[];
    high: number[];
    scale: { mode: "channel" | "layer" | "fixed"; low: number; high: number; diverging: boolean };
    colormap: string;
    range_low: number[];
    range_high: number[];
    rgb: string;
  }[];
}

export const vectors = file as unknown as Vectors;

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The payload as a host hands it over, `offset` bytes into a larger buffer. */
export function viewOf(base64: string, offset: number): DataView {
  const bytes = bytesOf(base64);
  const whole = new Uint8Array(bytes.length + offset + 5).fill(170);
  whole.set(bytes, offset);
  return new DataView(whole.buffer, offset, bytes.length);
}

export function numberOf(value: Json): number {
  return Number(value);
}
