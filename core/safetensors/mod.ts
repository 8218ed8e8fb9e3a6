/**
 * Tensors in safetensors files: float16 ones of openings and transcripts, which are read whole,
 * and those of checkpoints, of which headers alone are read. Every offset is checked against the
 * file's length before a tensor is handed out.
 *
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "./mod.ts";
 *
 * const bits = Uint16Array.of(0x3c00, 0xc000); // 1 and -2 as float16
 * const file = encodeSafetensors([{ name: "x.0", dims: [2], bits }], { format: "example" });
 * const { tensors, metadata } = decodeSafetensors(file);
 * console.assert(tensors[0].name === "x.0" && metadata.format === "example");
 * ```
 */
export { decodeSafetensors } from "./decode.ts";
export {
  encodeFloatSafetensors,
  encodeSafetensors,
  type NamedFloats,
  type NamedHalf,
  safetensorsHeader,
} from "./encode.ts";
export {
  type IndexedTensor,
  readSafetensorsIndex,
  readTensorIndex,
  type SafetensorsIndex,
  shardPaths,
  type TensorIndex,
} from "./tensor_index.ts";
export { readFloats } from "./read_floats.ts";
export type { WeightDelta } from "./weight_delta.ts";
