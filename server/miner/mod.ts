/**
 * A miner: makes images for those it lets in, one batch at a time, signs a receipt for each, keeps
 * every step for some minutes, and opens steps for holders of the receipt's token. With
 * `--generation_endpoint` other miners of the same hotkey compute for it, and with `--cluster` all
 * workers that have joined a cluster on NATS.
 *
 * `startMiner` puts it together, `startWorker` a worker; `routes.ts` is its HTTP API, `generator.ts` runs batches,
 * `job_queue.ts` decides who is next.
 */
export { minerCommand } from "./command.ts";
export { filesNamed, putInputs } from "./cluster_files.ts";
export { kindOf } from "./cluster_messages.ts";
export { ClusterReplay } from "./cluster_replay.ts";
export { ClusterSource } from "./cluster_source.ts";
export { ClusterWorkers } from "./cluster_workers.ts";
export { ClusterWorker, type WorkerParts } from "./cluster_worker.ts";
export type { GenerationTask, ImageSource, Made } from "./image_source.ts";
export type { Job } from "./job_queue.ts";
export { MinerMetrics } from "./metrics.ts";
export { minerRoutes } from "./routes.ts";
export { workerCommand } from "./worker_command.ts";
export { type Miner, type MinerOptions, startMiner } from "./start_miner.ts";
