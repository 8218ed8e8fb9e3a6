import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import {
  decodeOpening,
  type Hash,
  imageLeaf,
  leafHash,
  leafNameAt,
  openingSpec,
  type OpeningTarget,
  sourcesOf,
  type TensorLeaf,
} from "../transcript/mod.ts";
import type { CheckedReceipt } from "./check_receipt.ts";

/** Only {@link checkOpening} makes one, so that nothing is scored that was not committed. */
const proven = Symbol("proven");

/** Leaves that a checked receipt committed to, all finite and of its shape. */
export interface ProvenOpening {
  readonly target: OpeningTarget;
  readonly committed: CheckedReceipt;
  /** By name: `x.0`, `d.0`, ...; u16[channels, height, width] float16 bits. */
  readonly leaves: ReadonlyMap<string, Uint16Array>;
  /** The hash of the image's leaf, where x_N is opened: the two are one node, so its proof has it. */
  readonly image?: Hash;
  readonly [proven]: true;
}

/**
 * Level 0 for an opening.
 * @param bytes as the miner sent them. Read no more than `openingBytes` of them.
 * @throws AppError as `decodeOpening`; such an opening is a failed check.
 */
export function checkOpening(
  bytes: Uint8Array,
  committed: CheckedReceipt,
  target: OpeningTarget,
): ProvenOpening {
  const spec = openingSpec(committed.receipt, committed.plan, target, committed.id);
  const { leaves, proof } = decodeOpening(bytes, spec);
  const named = leaves.map((bits, k) =>
    [leafNameAt(spec.run.first + k, spec.sources), bits] as const
  );
  const besideImage = spec.run.last + 1 === imagePosition(committed);
  return {
    ...{ target, committed, leaves: new Map(named), [proven]: true },
    ...(besideImage && { image: proof.at(-1) }),
  };
}

/**
 * Level 0 for the image's leaf: the tree holds the same file as the receipt.
 * @param opening with x_N; another one says nothing of the image.
 * @param file the encoded image.
 * @throws AppError `proof_invalid`.
 */
export function checkImageLeaf({ image, committed }: ProvenOpening, file: Uint8Array): void {
  if (!image) return;
  const leaf = leafHash(imagePosition(committed), file);
  if (bytesToHex(leaf) !== bytesToHex(image)) {
    throw new AppError(
      "proof_invalid",
      "Cannot trust the image: its leaf is not the one that was committed",
    );
  }
}

function imagePosition({ receipt }: CheckedReceipt): number {
  return imageLeaf(receipt.steps, sourcesOf(receipt));
}

/** @throws AppError `opening_mismatch` when it is not among the opened ones. */
export function openedLeaf(
  { leaves, target }: ProvenOpening,
  kind: TensorLeaf["kind"],
  index: number,
): Uint16Array {
  const bits = leaves.get(`${kind}.${index}`);
  if (bits) return bits;
  throw new AppError(
    "opening_mismatch",
    `Cannot check a step: ${kind}.${index} is not in the opening of ${target}`,
  );
}
