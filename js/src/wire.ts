/**
 * The wire format on the browser's side. Its other half is cnnviz_widgets/streaming/wire.py; both
 * read tests/wire_vectors.json. Outgoing messages are written where they are sent, in stream.ts.
 */

import { told } from "./words";

export const WIRE_VERSION = 1;

const ALIGNMENT = 8;

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array;

export interface Block {
  readonly shape: readonly number[];
  readonly data: Numbers;
}

export interface Welcome {
  readonly type: "welcome";
  readonly cid: string;
  readonly epoch: number;
  /** Whether it is no kernel that answers, but the page itself. */
  readonly stored?: boolean;
}

export interface Frame {
  readonly type: "frame";
  readonly cid: string;
  readonly seq: number;
  readonly kind: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly epoch: number;
  readonly final: boolean;
  /** What else the header says; each kind has its own fields. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly arrays: Readonly<Record<string, Block>>;
  /** Size of the binary part. */
  readonly bytes: number;
}

export interface Failure {
  readonly type: "err";
  readonly cid: string;
  /** -1 where the kernel could not read which request was wrong. */
  readonly seq: number;
  readonly kind: string;
  readonly message: string;
  readonly hint: string | null;
}

export type Message = Welcome | Frame | Failure;

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json };

export type Params = Readonly<Record<string, Json>>;

/** Thrown for a message that does not follow the format; the text says where it departs from it. */
export class WireError extends Error {}

/** Throws a WireError unless the message is as it must be. */
export function must(isRight: unknown, problem: string): asserts isRight {
  if (!isRight) throw new WireError(problem);
}

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array };

type Fields = Record<string, unknown>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  must(typeof value === "string", `${name} is ${value}, not a text`);
  return value;
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  must(typeof value === "number", `${name} is ${value}, not a number`);
  return value;
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}

function readBlock(spec: unknown, buffer: DataView | undefined): [string, Block] {
  must(isRecord(spec), `array description is ${spec}`);
  const name = text(spec, "name");
  const { dtype, offset, shape } = spec;
  const Type = TYPES[dtype as keyof typeof TYPES];
  must(Type, `${name}: dtype is ${dtype}`);
  must(Array.isArray(shape) && shape.every(isSize), `${name}: shape is ${shape}`);
  must(isSize(offset) && offset % ALIGNMENT === 0, `${name}: offset is ${offset}`);
  const count = shape.reduce((product, size) => product * size, 1);
  const end = offset + count * Type.BYTES_PER_ELEMENT;
  must(buffer && end <= buffer.byteLength, `${name}: ends at ${end} of ${buffer?.byteLength}`);
  const memory = buffer.buffer as ArrayBuffer;
  const start = buffer.byteOffset + offset;
  // A typed array must start on a multiple of its item size; where the host's buffer does not, copy.
  const data =
    start % Type.BYTES_PER_ELEMENT === 0
      ? new Type(memory, start, count)
      : new Type(memory.slice(start, buffer.byteOffset + end));
  return [name, { shape, data }];
}

/**
 * Reads the arrays that a header describes, without copying where the host's buffer allows it.
 *
 * @throws WireError if the description does not fit the buffer or is no description
 */
export function readArrays(header: Fields, buffer: DataView | undefined): Record<string, Block> {
  const specs = header.arrays;
  must(Array.isArray(specs), "arrays is not a list");
  return Object.fromEntries(specs.map((spec) => readBlock(spec, buffer)));
}

/**
 * Reads one kernel message.
 *
 * @param raw the JSON part
 * @param buffers the binary parts as the host hands them over; the format uses the first
 * @throws WireError if the message departs from the format
 */
export function decode(raw: unknown, [buffer]: readonly DataView[] = []): Message {
  must(isRecord(raw), "the message is not an object");
  const content = told(raw);
  const { type, params, kind, seq, hint } = content;
  const cid = text(content, "cid");
  if (type === "welcome") {
    return { type, cid, epoch: number(content, "epoch"), stored: !!content.stored };
  }
  if (type === "err") {
    return {
      type,
      cid,
      seq: typeof seq === "number" ? seq : -1,
      kind: kind ? `${kind}` : "",
      message: text(content, "message"),
      hint: hint ? `${hint}` : null,
    };
  }
  must(type === "frame", `type is ${type}`);
  must(isRecord(params), `params is ${params}`);
  return {
    type,
    cid,
    seq: number(content, "seq"),
    kind: text(content, "kind"),
    params,
    epoch: number(content, "epoch"),
    final: content.final === true,
    header: content,
    arrays: readArrays(content, buffer),
    bytes: buffer?.byteLength ?? 0,
  };
}
