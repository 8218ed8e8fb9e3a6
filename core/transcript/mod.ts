export { encodeSafetensors, type NamedHalf } from "./safetensors.ts";
