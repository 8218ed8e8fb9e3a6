/**
 * Float16 tensors in safetensors files: openings and transcripts. Reading checks every offset
 * against the file's length before a tensor is handed out.
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
export { encodeSafetensors, type NamedHalf, safetensorsHeader } from "./encode.ts";
