export { type Commitment, TranscriptBuilder } from "./builder.ts";
export { canonicalJson } from "./canonical_json.ts";
export { manifestHash, planHash } from "./digests.ts";
export {
  imageLeaf,
  type LatentShape,
  leafCount,
  leafNameAt,
  leavesOfImages,
  type OpeningTarget,
  stepRun,
  targetName,
  type TensorLeaf,
} from "./leaves.ts";
export {
  type Hash,
  leafHash,
  type LeafRun,
  merkleRoot,
  proofLength,
  proveRun,
  rootOfRun,
} from "./merkle.ts";
export { type LeafSource, openStep } from "./open_step.ts";
export { decodeOpening, encodeOpening, type Opening, openingBytes } from "./opening.ts";
export { type OpeningSpec, openingSpec } from "./opening_spec.ts";
export {
  decodeReceipt,
  encodeReceipt,
  MAX_RECEIPT_BYTES,
  mostImageBytes,
  type Receipt,
  receiptFromJson,
  receiptId,
  receiptMessage,
  type UnsignedReceipt,
} from "./receipt.ts";
export { encodeSafetensors, type NamedHalf } from "./safetensors.ts";
export {
  decodeSafetensors,
  type SafetensorsFile,
  type SafetensorsLimits,
} from "./safetensors_decode.ts";
export { checkSignature, type Signer, signReceipt, verifySr25519 } from "./signature.ts";
export { decodeSs58, encodeSs58 } from "./ss58.ts";
