import type { Plan } from "../schedule/mod.ts";
import {
  encodeOpening,
  type Hash,
  openingSpec,
  type OpeningTarget,
  proveRun,
  type Receipt,
} from "../transcript/mod.ts";

/** A kept transcript, wherever it is: hashes in memory, leaves read on demand. */
export interface LeafSource {
  /** One a leaf, the image's included. */
  readonly hashes: readonly Hash[];
  /** A leaf's bytes, by its position. */
  leaf(position: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The miner's answer to a challenge.
 * @param id `receiptId`, where it is known.
 * @throws AppError `challenge_invalid` when there is no such step, or what the source throws.
 */
export async function openStep(
  source: LeafSource,
  receipt: Receipt,
  plan: Plan,
  target: OpeningTarget,
  id?: string,
): Promise<Uint8Array> {
  const spec = openingSpec(receipt, plan, target, id);
  const proof = proveRun(source.hashes, spec.run);
  const positions = Array.from(
    { length: spec.run.last - spec.run.first + 1 },
    (_, k) => spec.run.first + k,
  );
  const bytes = await Promise.all(positions.map((position) => source.leaf(position)));
  return encodeOpening(spec, {
    proof,
    leaves: bytes.map((leaf) => new Uint16Array(leaf.slice().buffer)),
  });
}
