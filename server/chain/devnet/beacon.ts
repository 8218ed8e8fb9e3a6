import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { identityOf } from "../timelock/mod.ts";

/** Seconds from round to round, as drand's quicknet has them. */
export const PERIOD = 3;
/** No secret: anybody can open a devnet's commits at any time. */
const SECRET = bls12_381.fields.Fr.fromBytes(
  sha256(new TextEncoder().encode("stepwise devnet beacon")),
  true,
);

export interface Pulse {
  readonly round: bigint;
  /** sha256 of the signature. */
  readonly randomness: Uint8Array;
  /** Compressed G1, 48 bytes. */
  readonly signature: Uint8Array;
}

/** Compressed G2, 96 bytes. */
export function beaconKey(): Uint8Array {
  return bls12_381.G2.Point.BASE.multiply(SECRET % bls12_381.fields.Fr.ORDER).toBytes();
}

export function pulseOf(round: bigint): Pulse {
  const signature = identityOf(round).multiply(SECRET % bls12_381.fields.Fr.ORDER).toBytes();
  return { round, randomness: sha256(signature), signature };
}

/** The newest round at a time. Round 1 is at genesis. */
export function roundAt(seconds: number, genesis: number): bigint {
  return BigInt(Math.max(0, Math.floor((seconds - genesis) / PERIOD) + 1));
}
