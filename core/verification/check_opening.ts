import { AppError } from "../error.ts";
import {
  decodeOpening,
  leafNameAt,
  openingSpec,
  type OpeningTarget,
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
  readonly [proven]: true;
}

/**
 * Level 0 for an opening.
 * @param bytes as the miner sent them. Read no more than `openingBytes` from him.
 * @throws AppError as `decodeOpening`; such an opening is a failed check.
 */
export function checkOpening(
  bytes: Uint8Array,
  committed: CheckedReceipt,
  target: OpeningTarget,
): ProvenOpening {
  const spec = openingSpec(committed.receipt, committed.plan, target);
  const { leaves } = decodeOpening(bytes, spec);
  const named = leaves.map((bits, k) => [leafNameAt(spec.run.first + k), bits] as const);
  return { target, committed, leaves: new Map(named), [proven]: true };
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
