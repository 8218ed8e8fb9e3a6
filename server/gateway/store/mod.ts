/**
 * What a gateway keeps in SQLite: jobs and their images, keys, what each key used, and reports of ended
 * jobs that are still to be sent.
 */
export type { Failure, Job, JobImage, JobState, MadeRecord, NewJob, Once } from "./job.ts";
export { imagesOfBatch, type Listing } from "./jobs.ts";
export type { ApiKey, KeptKey, KeyLimits } from "./keys.ts";
export { keyIdOf } from "./key_id.ts";
export { refinedRequest, runsOf } from "./refined_request.ts";
export { gatewayFile, GatewayStore } from "./store.ts";
export type { Usage } from "./usage.ts";
