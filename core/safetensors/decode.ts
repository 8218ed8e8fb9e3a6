import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import type { NamedHalf } from "./encode.ts";
import { headerLength, type HeaderTensor, parseHeader } from "./header.ts";

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
  const end = 8 + headerLength(file, file.length, limits.maxHeaderBytes, refuse);
  const data = file.subarray(end);
  const header = parseHeader(file.subarray(8, end), data.length, limits.maxTensors, refuse);
  return {
    metadata: header.metadata,
    tensors: readTensors(header.tensors, data),
  };
}

function readTensors(tensors: readonly HeaderTensor[], data: Uint8Array): NamedHalf[] {
  let at = 0;
  const halves = tensors.map(({ name, dtype, shape, start, end }) => {
    if (dtype !== "F16") refuse(`${name.slice(0, 40)} is ${dtype}, not F16`);
    if (start !== at) {
      refuse(`${name.slice(0, 40)} claims bytes from ${start} on, not from ${at} on`);
    }
    at = end;
    return { name, dims: shape, bits: halfView(data.subarray(start, end)) };
  });
  return at === data.length
    ? halves
    : refuse(`it has ${counted(data.length - at, "byte")} too many`);
}

function halfView(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function refuse(why: string, cause?: unknown): never {
  throw new AppError("transcript_invalid", `Cannot read the tensors: ${why}`, { cause });
}
