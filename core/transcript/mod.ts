/**
 * What a generation commits to, byte by byte, and how parts of it are opened: leaves, Merkle tree,
 * receipt, openings. `FORMAT.md` describes it for those who write a verifier of their own. Making
 * one from a run is the prover's part, judging one the verifier's.
 *
 * ```ts
 * import { leafHash, merkleRoot, planHash, proveRun, rootOfRun } from "./mod.ts";
 * import { planFromConfig } from "../schedule/mod.ts";
 *
 * const leaves = ["x.0", "d.0", "x.1", "image"].map((text) => new TextEncoder().encode(text));
 * const hashes = leaves.map((bytes, position) => leafHash(position, bytes));
 * // Leaves 1 and 2 with their proof give the root of all four.
 * const run = { first: 1, last: 2 };
 * const root = rootOfRun(4, run, hashes.slice(1, 3), proveRun(hashes, run));
 * console.assert(String(root) === String(merkleRoot(hashes)));
 *
 * // A receipt names its plan by a hash; version 1 spelt plans another way.
 * const plan = planFromConfig({ _class_name: "EulerDiscreteScheduler" }, 4);
 * console.assert(planHash(plan, 2).length === 64 && planHash(plan, 1) !== planHash(plan, 2));
 * ```
 */
export { type Commitment, TranscriptBuilder } from "./builder.ts";
export { canonicalJson, jsonHash } from "./canonical_json.ts";
export { manifestHash, planHash } from "./digests.ts";
export { fileHash } from "./file_hash.ts";
export {
  imageLeaf,
  type LatentShape,
  leafCount,
  leafNameAt,
  leavesOfImages,
  MASKED_SOURCES,
  type OpeningTarget,
  sourcesOf,
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
  MAX_ADAPTER_LETTERS,
  MAX_CLOCK_SKEW_MS,
  MAX_RECEIPT_BYTES,
  maxImageBytes,
  type Receipt,
  RECEIPT_VERSION,
  receiptFromJson,
  receiptId,
  receiptMessage,
  type ReceiptVersion,
  type UnsignedReceipt,
} from "./receipt.ts";
export {
  asWritten,
  type PredictionSketch,
  type Sketcher,
  sketcherOf,
  sketchesOf,
  sketchRun,
  writingError,
} from "./sketch.ts";
export { checkSignature, signReceipt } from "./signature.ts";
export { decodeWitness, drawBlockOf, signWitness, type Witness, witnessSchema } from "./witness.ts";
