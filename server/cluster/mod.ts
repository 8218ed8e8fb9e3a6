/**
 * What several processes share: work that whoever can does, results that are counted once, values
 * that are written once, files, and calls. One process keeps it itself; several have it on NATS
 * JetStream, and keep no lists of each other.
 *
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { openLocalCluster } from "./mod.ts";
 *
 * const folder = await mkdtemp(join(tmpdir(), "cluster-"));
 * await using cluster = await openLocalCluster(folder);
 * await cluster.work.add("sd15", "job-1", new TextEncoder().encode("a red tau symbol"));
 * const [work] = await cluster.work.take("sd15", 4, { waitMs: 0 });
 * console.log(new TextDecoder().decode(work.body), work.delivery); // a red tau symbol 1
 * await work.done();
 * ```
 */
export {
  type Blobs,
  type Cluster,
  type Once,
  type ResultLog,
  type Work,
  WORK_OPTIONS,
} from "./cluster.ts";
export { addClusterOptions, type ClusterFlags, clusterOptions } from "./flags.ts";
export { LocalQueue } from "./local_queue.ts";
export { openLocalCluster } from "./local_cluster.ts";
export { type OwnServer, startNatsServer } from "./own_server.ts";
export { openNatsCluster } from "./nats_cluster.ts";
