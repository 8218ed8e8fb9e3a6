export { decryptWithSignature, encryptToRound, type Entropy, identityOf } from "./cipher.ts";
export { decodeWeights, encodeWeights, type WeightsPayload } from "./weights_payload.ts";
