export { decodeSafetensors } from "./decode.ts";
export { encodeSafetensors, type NamedHalf, safetensorsHeader } from "./encode.ts";
