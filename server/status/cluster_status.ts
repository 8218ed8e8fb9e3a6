import type { Hotkey } from "../../core/keys/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { ClusterWorkers, kindOf } from "../miner/mod.ts";

/** What is in a cluster of one hotkey. */
export interface ClusterStatus {
  readonly workers: readonly {
    readonly id: string;
    readonly host: string;
    readonly compute: string;
    readonly model: string;
    readonly running: number;
    readonly batch: number;
  }[];
  /** By model. */
  readonly queues: readonly {
    readonly model: string;
    readonly waiting: number;
    readonly taken: number;
  }[];
  /** Jobs that no worker could do, by their ids. */
  readonly dead: readonly string[];
}

/** Milliseconds in which workers say that they are there. */
const ASKED_MS = 1500;

export async function clusterStatus(cluster: Cluster, hotkey: Hotkey): Promise<ClusterStatus> {
  await using known = await ClusterWorkers.open(cluster, hotkey, () => {});
  await new Promise((resolve) => setTimeout(resolve, ASKED_MS));
  const workers = known.live;
  const models = new Map(workers.flatMap(({ info }) => info.models).map((m) => [m.manifest, m.id]));
  const [queues, dead] = await Promise.all([
    Promise.all([...models].map(async ([manifest, model]) => ({
      model,
      ...await cluster.work.counts(kindOf(hotkey, manifest)),
    }))),
    cluster.work.dead(),
  ]);
  return {
    queues,
    workers: workers.map(({ id, host, info: { compute, models: [{ id: model }], capacity } }) => ({
      ...{ id, host, compute, model, running: capacity.running, batch: capacity.batch },
    })),
    dead: dead.filter(({ kind }) => kind.startsWith(hotkey.address)).map(({ id }) => id),
  };
}
