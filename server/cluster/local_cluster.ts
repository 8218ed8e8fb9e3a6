import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, type Cluster, type Once, WORK_OPTIONS, type WorkOptions } from "./cluster.ts";
import { LocalBlobs } from "./local_blobs.ts";
import { LocalBus } from "./local_bus.ts";
import { LocalOnce } from "./local_once.ts";
import { LocalQueue } from "./local_queue.ts";
import { LocalResults } from "./local_results.ts";
import { checkKind } from "./names.ts";

/** A cluster of this process alone: work and calls in its memory, the rest in a folder. */
export async function openLocalCluster(
  folder: string,
  options: Partial<WorkOptions> = {},
): Promise<Cluster> {
  await mkdir(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const results = stack.use(new LocalResults(join(folder, "results.sqlite")));
  const owned = stack.move();
  const cluster: Cluster = {
    results,
    work: new LocalQueue({ ...WORK_OPTIONS, ...options }),
    bus: new LocalBus(),
    traffic: () => ({ messages: 0, bytes: 0 }),
    once: (name, seconds): Promise<Once> => {
      const path = join(folder, `once-${checkKind(name)}.sqlite`);
      return Promise.resolve(owned.use(new LocalOnce(path, seconds)));
    },
    blobs: (name, seconds): Promise<Blobs> =>
      LocalBlobs.open(join(folder, `blobs-${checkKind(name)}`), seconds),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return cluster;
}
