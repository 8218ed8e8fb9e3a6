import { parseJsonText } from "../json_text.ts";
import { z } from "zod";
import { issueSentence } from "../json_decoding.ts";
import { AppError } from "../error.ts";
import type { NamedHalf } from "./encode.ts";

/** A reader's limits; a file that claims more is refused before anything is allocated. */
export interface SafetensorsLimits {
  readonly maxHeaderBytes: number;
  readonly maxTensors: number;
}

export interface SafetensorsFile {
  /** In the order of their bytes. Bits share the file's memory where its alignment allows. */
  readonly tensors: readonly NamedHalf[];
  readonly metadata: Readonly<Record<string, string>>;
}

const DEFAULT_LIMITS: SafetensorsLimits = { maxHeaderBytes: 2 ** 20, maxTensors: 4096 };

const size = z.int().min(0);
const tensorSchema = z.strictObject({
  dtype: z.literal("F16"),
  shape: z.array(size).max(8),
  data_offsets: z.tuple([size, size]),
});
const metadataSchema = z.array(z.tuple([z.string(), z.string()]));
type Entry = readonly [name: string, tensor: z.infer<typeof tensorSchema>];

/**
 * Reads what `encodeSafetensors` writes: float16 tensors that fill the file without gap or
 * overlap. Claimed sizes are checked against the bytes there are; nothing is allocated by them.
 * @throws AppError `transcript_invalid` for anything else.
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(
  file: Uint8Array,
  limits: SafetensorsLimits = DEFAULT_LIMITS,
): SafetensorsFile {
  const { header, data } = split(file, limits.maxHeaderBytes);
  const { __metadata__: metadata, ...tensors } = header;
  const entries = Object.entries(tensors);
  if (entries.length > limits.maxTensors) {
    refuse(`it has ${entries.length} tensors, at most ${limits.maxTensors} are read`);
  }
  return {
    metadata: readMetadata(metadata ?? {}),
    tensors: readTensors(
      entries.map(([name, value]): Entry => [name, decode(tensorSchema, value, name)]),
      data,
    ),
  };
}

/** By entries: a record's schema would leave out a key named `__proto__`. */
function readMetadata(value: unknown): Record<string, string> {
  const object = decode(z.custom<object>(isPlainObject, "not an object"), value, "__metadata__");
  return Object.fromEntries(decode(metadataSchema, Object.entries(object), "__metadata__"));
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Header and data, by the length in the first eight bytes. */
function split(
  file: Uint8Array,
  maxHeaderBytes: number,
): { readonly header: Record<string, unknown>; readonly data: Uint8Array } {
  if (file.length < 8) refuse(`it has ${file.length} bytes, not even the header's length`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(maxHeaderBytes, file.length - 8))) {
    refuse(`its header claims ${length} bytes, of at most ${maxHeaderBytes} and ${file.length}`);
  }
  const end = 8 + Number(length);
  return { header: parseHeader(file.subarray(8, end)), data: file.subarray(end) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch (cause) {
    refuse("its header is not JSON in UTF-8", cause);
  }
  return refuse("its header is not a JSON object");
}

function decode<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return refuse(`${name.slice(0, 40)}: ${issueSentence(issue, value)}`, result.error);
}

function readTensors(entries: readonly Entry[], data: Uint8Array): NamedHalf[] {
  const sorted = entries.toSorted(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  let at = 0;
  const tensors = sorted.map(([name, { shape, data_offsets: [start, end] }]) => {
    const bytes = shape.reduce((product, side) => product * side, 2);
    if (start !== at || end !== at + bytes || end > data.length) {
      refuse(`${name.slice(0, 40)} claims bytes ${start} to ${end}, not ${bytes} from ${at} on`);
    }
    at = end;
    return { name, dims: shape, bits: halfView(data.subarray(start, end)) };
  });
  return at === data.length ? tensors : refuse(`it has ${data.length - at} bytes too many`);
}

function halfView(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function refuse(why: string, cause?: unknown): never {
  throw new AppError("transcript_invalid", `Cannot read the tensors: ${why}`, { cause });
}
