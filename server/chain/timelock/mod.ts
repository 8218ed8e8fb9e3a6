export {
  decryptWithSignature,
  encryptToRound,
  type Entropy,
  freshEntropy,
  identityOf,
} from "./cipher.ts";
export { decodeWeights, encodeWeights, type WeightsPayload } from "./weights_payload.ts";
