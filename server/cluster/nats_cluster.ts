import type { Log } from "../telemetry/mod.ts";
import { type Cluster, WORK_OPTIONS, type WorkOptions } from "./cluster.ts";
import { checkKind } from "./names.ts";
import { NatsBlobs } from "./nats_blobs.ts";
import { NatsBus } from "./nats_bus.ts";
import { type NatsLink, type NatsOptions, openLink } from "./nats_link.ts";
import { NatsOnce } from "./nats_once.ts";
import { NatsQueue } from "./nats_queue.ts";
import { NatsResults } from "./nats_results.ts";

/**
 * Joins a cluster on NATS JetStream, of nats-server 2.9 or later; nothing later is asked of it.
 * @throws AppError `cluster_unavailable`, `invalid_request`.
 */
export async function openNatsCluster(
  options: NatsOptions,
  log: Log,
  work: Partial<WorkOptions> = {},
): Promise<Cluster> {
  checkKind(options.prefix);
  const link = await openLink(options, log);
  try {
    const all = { ...WORK_OPTIONS, ...work };
    const [queue, results] = await Promise.all([NatsQueue.open(link, all), NatsResults.open(link)]);
    return {
      ...{ work: queue, results, bus: new NatsBus(link) },
      traffic: () => {
        const { inMsgs, outMsgs, inBytes, outBytes } = link.connection.stats();
        return { messages: inMsgs + outMsgs, bytes: inBytes + outBytes };
      },
      once: (name, seconds) => NatsOnce.open(link, checkKind(name), seconds),
      blobs: (name, seconds) => NatsBlobs.open(link, checkKind(name), seconds),
      [Symbol.asyncDispose]: () => close(link),
    };
  } catch (error) {
    await close(link);
    throw error;
  }
}

async function close({ connection }: NatsLink): Promise<void> {
  // What is not sent when no server is there is not waited for.
  await Promise.race([connection.flush(), new Promise((resolve) => setTimeout(resolve, 1000))])
    .catch(() => {});
  await connection.close();
}
