/**
 * Weights that nobody can read before a round of drand's beacon: encryption to a round, and the
 * payload that the chain decodes.
 *
 * ```ts
 * import { bls12_381 } from "@noble/curves/bls12-381.js";
 * import {
 *   decodeWeights,
 *   decryptWithSignature,
 *   encodeWeights,
 *   encryptToRound,
 *   identityOf,
 * } from "./mod.ts";
 *
 * // A beacon with a key of our own: its signature of round 5 is what opens the ciphertext.
 * const secret = 42n;
 * const publicKey = bls12_381.G2.Point.BASE.multiply(secret).toBytes();
 * const signature = identityOf(5n).multiply(secret).toBytes();
 *
 * const hotkey = new Uint8Array(32);
 * const weights = { hotkey, uids: [1, 2], values: [65535, 1], versionKey: 10n };
 * const sealed = encryptToRound(encodeWeights(weights), publicKey, 5n);
 * console.assert(decodeWeights(decryptWithSignature(sealed, signature)).values[0] === 65535);
 * ```
 */
export { decryptWithSignature, encryptToRound, type Entropy, identityOf } from "./cipher.ts";
export { decodeWeights, encodeWeights, type WeightsPayload } from "./weights_payload.ts";
