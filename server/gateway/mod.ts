/**
 * The door for applications: jobs that outlive a restart, keys with limits, and the interfaces that
 * existing clients speak. It does not know how images are made: it is given a function for that.
 *
 * Another interface is one more list of routes over the same parts:
 *
 * ```ts
 * import { type GatewayParts, imagesOfBatch, takeOrder } from "./mod.ts";
 * import { decodeRequest, randomSeed } from "../../core/request/mod.ts";
 *
 * async function draw(parts: GatewayParts, authorization: string, signal: AbortSignal) {
 *   const owner = parts.keys.admit(authorization);
 *   const defaults = { ...parts.model.defaults, seed: randomSeed() };
 *   const request = decodeRequest({ prompt: "a red tau symbol", batch: 4 }, defaults);
 *   const requests = imagesOfBatch(request);
 *   const job = await takeOrder(parts, { owner, requests, format: "png" });
 *   const ended = await parts.jobs.wait(owner.id, job.id, signal);
 *   if (ended.failure) throw new Error(ended.failure.message);
 *   return await parts.jobs.image(ended, 0);
 * }
 * ```
 *
 * While it is made, `jobs.watch(owner.id, job.id)` gives its events, `jobs.progressOf(job.id, n)` the step
 * of an image, and `jobs.cancel(owner.id, job.id)` ends it.
 */
export { CallPictures } from "./files/mod.ts";
export { keysCommand } from "./commands/mod.ts";
export { type ClientOptions, type Gateway, type GatewayOptions, openGateway } from "./gateway.ts";
export type { VerifiedImage } from "./mcp/mod.ts";
export {
  DEFAULT_JOBS,
  type JobEvent,
  type Jobs,
  type JobsOptions,
  type Made,
  type Make,
  type Making,
  type Order,
  type Progress,
} from "./jobs/mod.ts";
export { hashOfKey, type Keys, newKeyText } from "./keys/mod.ts";
export {
  checkOrder,
  type GatewayModel,
  type GatewayParts,
  MAX_IMAGES,
  takeOrder,
} from "./routes/mod.ts";
export {
  type ApiKey,
  type Failure,
  gatewayFile,
  GatewayStore,
  imagesOfBatch,
  type Job,
  type JobImage,
  type JobState,
  type KeyLimits,
  type MadeRecord,
  refinedRequest,
  runsOf,
} from "./store/mod.ts";
export { DEFAULT_WEBHOOKS, type WebhookOptions, webhookSecret } from "./webhooks/mod.ts";
