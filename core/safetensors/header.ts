import { counted } from "../counted.ts";
import { z } from "zod";
import { issueSentence } from "../json_decoding.ts";
import { parseJsonText } from "../json_text.ts";

/** Bytes of an element, by its type's name in a header. */
const DTYPE_BYTES = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1 },
  ...{ U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1 },
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** One tensor as the header describes it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes from the end of the header, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: readonly HeaderTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Throws the caller's error. */
export type Refuse = (why: string, cause?: unknown) => never;

const DTYPES = Object.keys(DTYPE_BYTES) as Dtype[];
const size = z.int().min(0);
const tensorSchema = z.strictObject({
  dtype: z.enum(DTYPES),
  shape: z.array(size).max(8),
  data_offsets: z.tuple([size, size]),
});
const metadataSchema = z.array(z.tuple([z.string(), z.string()]));

/** Bytes of the header after the first eight, which say it. @param size of the file, in bytes. */
export function headerLength(
  start: Uint8Array,
  size: number,
  maxHeaderBytes: number,
  refuse: Refuse,
): number {
  if (start.length < 8) {
    refuse(`it has ${counted(start.length, "byte")}, not even the header's length`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(maxHeaderBytes, size - 8))) {
    refuse(
      `its header claims ${counted(length, "byte")}, of at most ${maxHeaderBytes} and ${size}`,
    );
  }
  return Number(length);
}

/**
 * Reads a header. Every tensor's bytes are as many as its type and shape say, lie within the data
 * and are nobody else's.
 * @param bytes the JSON alone. @param dataBytes of the file after the header.
 */
export function parseHeader(
  bytes: Uint8Array,
  dataBytes: number,
  maxTensors: number,
  refuse: Refuse,
): SafetensorsHeader {
  const { __metadata__: metadata, ...tensors } = parseJson(bytes, refuse);
  const entries = Object.entries(tensors);
  if (entries.length > maxTensors) {
    refuse(`it has ${counted(entries.length, "tensor")}, at most ${maxTensors} are read`);
  }
  const read = entries.map(([name, value]) => readTensor(name, value, refuse));
  const sorted = read.toSorted((a, b) => a.start - b.start || a.end - b.end);
  requireOwnBytes(sorted, dataBytes, refuse);
  return { tensors: sorted, metadata: readMetadata(metadata ?? {}, refuse) };
}

function parseJson(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  try {
    const header: unknown = parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isPlainObject(header)) return header as Record<string, unknown>;
  } catch (cause) {
    refuse("its header is not JSON in UTF-8", cause);
  }
  return refuse("its header is not a JSON object");
}

function readTensor(name: string, value: unknown, refuse: Refuse): HeaderTensor {
  const { dtype, shape, data_offsets: [start, end] } = decode(tensorSchema, value, name, refuse);
  const bytes = shape.reduce((product, side) => product * side, DTYPE_BYTES[dtype]);
  if (end - start !== bytes) {
    refuse(`${shown(name)} claims bytes ${start} to ${end}, not the ${bytes} of its shape`);
  }
  return { name, dtype, shape, start, end };
}

function requireOwnBytes(sorted: readonly HeaderTensor[], dataBytes: number, refuse: Refuse): void {
  let at = 0;
  for (const { name, start, end } of sorted) {
    if (start < at) refuse(`${shown(name)} claims bytes from ${start} on, another's up to ${at}`);
    if (end > dataBytes) refuse(`${shown(name)} ends at byte ${end} of ${dataBytes}`);
    at = end;
  }
}

/** By entries: a record's schema would leave out a key named `__proto__`. */
function readMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  const plain = z.custom<object>(isPlainObject, "not an object");
  const object = decode(plain, value, "__metadata__", refuse);
  const entries = decode(metadataSchema, Object.entries(object), "__metadata__", refuse);
  return Object.fromEntries(entries);
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decode<T>(schema: z.ZodType<T>, value: unknown, name: string, refuse: Refuse): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return refuse(`${shown(name)}: ${issueSentence(issue, value)}`, result.error);
}

function shown(name: string): string {
  return name.slice(0, 40);
}
