/**
 * The wire format on the browser's side: kernel messages in, requests out.
 * Its other half is cnnviz_widgets/streaming/wire.py; both read tests/wire_vectors.json.
 */

export const WIRE_VERSION = 1;

const ALIGNMENT = 8;

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array;

export interface Block {
  readonly shape: readonly number[];
  readonly data: Numbers;
}

export interface Welcome {
  readonly type: "welcome";
  readonly v: number;
  readonly cid: string;
  readonly epoch: number;
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

export type Params = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export type Outgoing =
  | { type: "hello"; v: number; cid: string; dpr: number; visible: boolean }
  | { type: "req"; cid: string; seq: number; kind: string; params: Params }
  | { type: "cancel"; cid: string; seq: number };

/** Thrown for a message that does not follow the format; the text says where it departs from it. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const readers: Record<
  string,
  { size: number; view: (b: ArrayBufferLike, at: number, n: number) => Numbers }
> = {
  u1: { size: 1, view: (b, at, n) => new Uint8Array(b, at, n) },
  u2: { size: 2, view: (b, at, n) => new Uint16Array(b, at, n) },
  u4: { size: 4, view: (b, at, n) => new Uint32Array(b, at, n) },
  f4: { size: 4, view: (b, at, n) => new Float32Array(b, at, n) },
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Types {
  string: string;
  number: number;
  boolean: boolean;
}

function isType<T extends keyof Types>(value: unknown, type: T): value is Types[T] {
  return typeof value === type;
}

function field<T extends keyof Types>(
  record: Record<string, unknown>,
  name: string,
  type: T,
): Types[T] {
  const value = record[name];
  if (!isType(value, type)) throw new WireError(`${name} is ${String(value)}, not a ${type}`);
  return value;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function readBlock(spec: unknown, buffer: DataView | undefined): [string, Block] {
  if (!isRecord(spec)) throw new WireError(`array description is ${String(spec)}`);
  const name = field(spec, "name", "string");
  const dtype = field(spec, "dtype", "string");
  const { offset, shape } = spec;
  const reader = readers[dtype];
  if (!reader) throw new WireError(`${name}: dtype is ${dtype}, not u1, u2, u4 or f4`);
  if (!Array.isArray(shape) || !shape.every(isSize)) throw new WireError(`${name}: bad shape`);
  if (!isSize(offset) || offset % ALIGNMENT !== 0) {
    throw new WireError(`${name}: offset is ${String(offset)}, not a multiple of ${ALIGNMENT}`);
  }
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  const end = offset + count * reader.size;
  if (!buffer || end > buffer.byteLength) {
    throw new WireError(`${name}: ends at byte ${end} of ${buffer?.byteLength ?? 0}`);
  }
  const start = buffer.byteOffset + offset;
  // A typed array must start on a multiple of its item size; where the host's buffer does not, copy.
  const data =
    start % reader.size === 0
      ? reader.view(buffer.buffer, start, count)
      : reader.view(buffer.buffer.slice(start, start + count * reader.size), 0, count);
  return [name, { shape, data }];
}

/**
 * Reads the arrays that a header describes, without copying where the host's buffer allows it.
 *
 * @throws WireError if the description does not fit the buffer or is no description
 */
export function readArrays(
  header: Record<string, unknown>,
  buffer: DataView | undefined,
): Record<string, Block> {
  const specs = header.arrays;
  if (!Array.isArray(specs)) throw new WireError("arrays is not a list");
  return Object.fromEntries(specs.map((spec: unknown) => readBlock(spec, buffer)));
}

function readFrame(record: Record<string, unknown>, buffer: DataView | undefined): Frame {
  const params = record.params ?? {};
  if (!isRecord(params)) throw new WireError("params is not an object");
  return {
    type: "frame",
    cid: field(record, "cid", "string"),
    seq: field(record, "seq", "number"),
    kind: field(record, "kind", "string"),
    params,
    epoch: field(record, "epoch", "number"),
    final: field(record, "final", "boolean"),
    header: record,
    arrays: readArrays(record, buffer),
    bytes: buffer?.byteLength ?? 0,
  };
}

/**
 * Reads one kernel message.
 *
 * @param content the JSON part
 * @param buffers the binary parts as the host hands them over; the format uses the first
 * @throws WireError if the message departs from the format
 */
export function decode(content: unknown, buffers: readonly DataView[] = []): Message {
  if (!isRecord(content)) throw new WireError("the message is not an object");
  switch (content.type) {
    case "welcome":
      return {
        type: "welcome",
        v: field(content, "v", "number"),
        cid: field(content, "cid", "string"),
        epoch: field(content, "epoch", "number"),
      };
    case "frame":
      return readFrame(content, buffers[0]);
    case "err":
      return {
        type: "err",
        cid: field(content, "cid", "string"),
        seq: typeof content.seq === "number" ? content.seq : -1,
        kind: typeof content.kind === "string" ? content.kind : "",
        message: field(content, "message", "string"),
        hint: typeof content.hint === "string" ? content.hint : null,
      };
    default:
      throw new WireError(`type is ${String(content.type)}, not welcome, frame or err`);
  }
}

export function hello(cid: string, dpr: number, visible: boolean): Outgoing {
  return { type: "hello", v: WIRE_VERSION, cid, dpr, visible };
}

export function request(cid: string, seq: number, kind: string, params: Params): Outgoing {
  return { type: "req", cid, seq, kind, params };
}

export function cancel(cid: string, seq: number): Outgoing {
  return { type: "cancel", cid, seq };
}
