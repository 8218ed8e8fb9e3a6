import type { Extrinsic } from "@polkadot/types/interfaces";
import { u8aToHex } from "@polkadot/util";
import { blake2AsU8a, cryptoWaitReady, signatureVerify } from "@polkadot/util-crypto";
import { PoolRefusal } from "./refusal.ts";
import type { Runtime } from "./runtime.ts";

export { cryptoWaitReady };

/** Longer payloads are signed by their hash. */
const MAX_SIGNED = 256;

/** What a signature covers besides the call. */
export interface Signing {
  readonly genesisHash: string;
  readonly specVersion: number;
  readonly transactionVersion: number;
  /** That would take it. */
  readonly block: number;
  /** The hash of a block that is not too old; undefined otherwise. */
  readonly hashAt: (block: number) => string | undefined;
}

/**
 * @returns the last block that may take it.
 * @throws PoolRefusal when the signature is not the signer's for the era that the block is in.
 */
export function checkExtrinsic(runtime: Runtime, extrinsic: Extrinsic, signing: Signing): number {
  const { era } = extrinsic;
  const birth = era.isMortalEra ? era.asMortalEra.birth(signing.block) : 0;
  const blockHash = era.isMortalEra ? signing.hashAt(birth) : signing.genesisHash;
  if (!blockHash) throw PoolRefusal.invalid("Transaction has an ancient birth block");
  const payload = runtime.registry.createType("ExtrinsicPayload", {
    method: extrinsic.method.toHex(),
    era,
    nonce: extrinsic.nonce,
    tip: extrinsic.tip,
    mode: 0,
    metadataHash: null,
    specVersion: signing.specVersion,
    transactionVersion: signing.transactionVersion,
    genesisHash: signing.genesisHash,
    blockHash,
  }, { version: 4 });
  const bytes = payload.toU8a({ method: true });
  const signed = bytes.length > MAX_SIGNED ? blake2AsU8a(bytes) : bytes;
  if (!isSigned(signed, extrinsic)) throw PoolRefusal.invalid("Transaction has a bad signature");
  return era.isMortalEra ? era.asMortalEra.death(signing.block) - 1 : Infinity;
}

function isSigned(message: Uint8Array, extrinsic: Extrinsic): boolean {
  try {
    const signature = u8aToHex(extrinsic.signature.toU8a());
    return signatureVerify(message, signature, extrinsic.signer.toString()).isValid;
  } catch {
    return false;
  }
}
