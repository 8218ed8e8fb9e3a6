import type { Hotkey } from "../../core/keys/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { SUBJECTS, toBytes } from "./cluster_messages.ts";
import { ClusterWorkers } from "./cluster_workers.ts";

/** Milliseconds in which workers say that they are there. */
const ASKED_MS = 2000;
const LOOK_MS = 200;

/** Asks a machine's workers to finish what runs and leave. @returns when none of them is left. */
export async function drainMachine(
  cluster: Cluster,
  hotkey: Hotkey,
  host: string,
  log: Log,
): Promise<void> {
  await using workers = await ClusterWorkers.open(cluster, hotkey, log);
  await pause(ASKED_MS);
  const left = () => workers.live.filter((worker) => worker.host === host).length;
  log("draining", { host, workers: left() });
  cluster.bus.publish(SUBJECTS.drain(hotkey), toBytes(host));
  while (left() > 0) await pause(LOOK_MS);
  log("drained", { host });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
