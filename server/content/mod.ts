/**
 * Published content: pictures with their receipts, checked and scored, in batches that anybody can
 * verify, and their feeds.
 *
 * ```ts
 * import { submissionMessage } from "./mod.ts";
 *
 * // What a creator signs to publish a picture.
 * const message = submissionMessage({ id: "ab12", sha256: "cd34", caption: "a fox" });
 * console.assert(new TextDecoder().decode(message) === "stepwise content 1\nab12\ncd34\na fox");
 * ```
 */
export { verifyBatch } from "./batch.ts";
export { contentCommand } from "./command.ts";
export { Earnings } from "./earnings.ts";
export { bucketStore } from "./object_store.ts";
export { Periods } from "./periods.ts";
export { Publications } from "./publications.ts";
export { Publisher } from "./publisher.ts";
export { openRelevance, RELEVANCE_MODEL } from "./relevance_model.ts";
export { contentRoutes } from "./routes.ts";
export { submissionMessage } from "./submission.ts";
