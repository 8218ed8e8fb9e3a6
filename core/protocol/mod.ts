/**
 * What goes over the wire between users, validators, miners and their compute hosts, for both sides:
 * paths, JSON messages, signed headers, attestations, binary frames. Every decoder here takes
 * untrusted input, and returns a value that the rest of the code trusts.
 *
 * ```ts
 * import { addressOf, decodeGenerationCall, PATHS } from "./mod.ts";
 *
 * const address = addressOf("http://miner.example", PATHS.step, { id: "ab12", step: "end" });
 * console.log(address.pathname); // "/v1/generations/ab12/steps/end"
 *
 * const call = decodeGenerationCall({ request: { prompt: "a red tau symbol" } });
 * console.log(call.format); // "png"
 * ```
 */
export {
  type Attestation,
  attestationMessage,
  attestationSchema,
  checkAttestation,
  decodeAttestation,
  type SignedAttestation,
} from "./attestation.ts";
export {
  CALL_PART,
  type CallBody,
  callBody,
  type InputFiles,
  MAX_INPUTS_BYTES,
  MULTIPART_TYPE,
  NO_INPUTS,
} from "./call_body.ts";
export { finalBlockHash } from "./chain_block.ts";
export {
  decodeGenerationAnswer,
  decodeGenerationCall,
  decodeMinerInfo,
  decodeProgress,
  type ErrorAnswer,
  type GenerationAnswer,
  type GenerationCall,
  type GenerationProgress,
  type ImageAnswer,
  MAX_REFUSAL_BYTES,
  type MinerInfo,
  minerSchemas,
  TRANSCRIPT_SECONDS,
} from "./miner_api.ts";
export {
  imageOfMiner,
  inputOfMiner,
  type MinerAddress,
  minerAddress,
  openingsOfMiner,
} from "./miner_client.ts";
export { addressOf, type Filled, pathOf, PATHS, routeAt } from "./routes.ts";
export {
  checkRequestTime,
  checkSignedBody,
  MAX_CLOCK_LEAD,
  MAX_REQUEST_AGE,
  readSignedHeaders,
  type SignedHeaders,
  signedHeaders,
} from "./signed_request.ts";
export {
  decodeImageCall,
  decodeScore,
  decodeScoreCall,
  type ImageCall,
  type ImageForUser,
  type ParentForUser,
  type Score,
  type ScoreCall,
  scoreSchema,
  validatorSchemas,
} from "./validator_api.ts";
export { type Refinement, refinementFields, refinementOf } from "./refinement.ts";
