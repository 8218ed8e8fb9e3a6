import { fromBfloat16, fromHalf } from "../half.ts";
import type { IndexedTensor } from "./tensor_index.ts";

interface ReadableBytes {
  bytes(path: string, range: { start: number; end: number }): Promise<Uint8Array<ArrayBuffer>>;
}

/** The numbers of one tensor, rounded to float32; undefined for a type that is no float nor I64. */
export async function readFloats(
  files: ReadableBytes,
  { path, start, end, dtype }: IndexedTensor,
): Promise<Float32Array | undefined> {
  // A copy, since a range may begin anywhere in its buffer.
  const { buffer } = (await files.bytes(path, { start, end })).slice();
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F16":
      return fromHalf(new Uint16Array(buffer));
    case "BF16":
      return fromBfloat16(new Uint16Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    default:
      return undefined;
  }
}
