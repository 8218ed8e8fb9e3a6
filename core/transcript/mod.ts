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
export { type Hash, leafHash, merkleRoot, proofLength, proveRun, rootOfRun } from "./merkle.ts";
export { decodeOpening, encodeOpening, openingBytes } from "./opening.ts";
export { openingSpec } from "./opening_spec.ts";
export {
  decodeReceipt,
  encodeReceipt,
  MAX_CLOCK_SKEW_MS,
  MAX_RECEIPT_BYTES,
  mostImageBytes,
  type Receipt,
  RECEIPT_VERSION,
  receiptFromJson,
  receiptId,
  receiptMessage,
  type ReceiptVersion,
} from "./receipt.ts";
export { checkSignature, signReceipt } from "./signature.ts";
