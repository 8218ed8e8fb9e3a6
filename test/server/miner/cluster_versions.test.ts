import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { joinSimulated, simulatedJob } from "../../../server/bench/simulated_gpu.ts";
import { type Cluster, openLocalCluster } from "../../../server/cluster/mod.ts";
import { type Versions, wordOf } from "../../../server/miner/cluster_messages.ts";
import { ClusterSource } from "../../../server/miner/mod.ts";
import { until } from "../../fixtures/processes.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const HOTKEY = openHotkey("5e".repeat(32));
const [OLD, NEW, NEWEST] = [{ from: 1, to: 1 }, { from: 1, to: 2 }, { from: 2, to: 2 }];
const log = () => {};

async function joined(): Promise<{ readonly cluster: Cluster; readonly kinds: string[] }> {
  const cluster = await openLocalCluster(join(await temporaryFolder(), "cluster"));
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const kinds: string[] = [];
  const add = cluster.work.add.bind(cluster.work);
  cluster.work.add = (kind, id, body) => {
    kinds.push(kind.endsWith("_v2") ? "v2" : "v1");
    return add(kind, id, body);
  };
  return { cluster, kinds };
}

async function axonOf(cluster: Cluster, speaks: Versions): Promise<ClusterSource> {
  const axon = await ClusterSource.connect(cluster, HOTKEY, { log, speaks });
  onTestFinished(() => axon.close());
  return axon;
}

const make = (axon: ClusterSource) => axon.run(simulatedJob(crypto.randomUUID(), "5Caller"));

test("workers and axons are replaced by a later version one by one, and no job is lost", async () => {
  const { cluster, kinds } = await joined();
  const worker = (speaks: Versions) => joinSimulated(cluster, HOTKEY, { ms: 5, log, speaks });
  const first = await worker(OLD);
  const axon = await axonOf(cluster, OLD);
  const jobs: Promise<unknown>[] = [];
  const some = (of: ClusterSource) => jobs.push(...Array.from({ length: 8 }, () => make(of)));
  some(axon);
  const second = await worker(NEW);
  onTestFinished(() => second[Symbol.asyncDispose]());
  const later = await axonOf(cluster, NEW);
  await until(() => later.workers() === 2, "it knows both");
  some(axon), some(later);
  await Promise.all(jobs);
  expect(kinds).toEqual(Array(24).fill("v1"));
  await first[Symbol.asyncDispose]();
  await until(() => later.workers() === 1, "it knows that the old one has left");
  some(axon), some(later);
  await Promise.all(jobs);
  expect(kinds.slice(24).toSorted()).toEqual([...Array(8).fill("v1"), ...Array(8).fill("v2")]);
});

test("an axon that no worker understands says so", async () => {
  const { cluster } = await joined();
  const worker = await joinSimulated(cluster, HOTKEY, { ms: 5, log, speaks: NEWEST });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  const axon = await axonOf(cluster, OLD);
  expect(axon.problem()).toMatch(/another version/);
  expect(await rejection(make(axon))).toMatchObject({ code: "host_unavailable" });
});

test("previews that are too large for a message are left out, and the step is said", () => {
  const step = { id: "x", step: 1, steps: 3 };
  const small = { event: "progress", json: { ...step, previews: ["data:"] } } as const;
  expect(JSON.parse(new TextDecoder().decode(wordOf(small)))).toEqual(small);
  const large = { event: "progress", json: { ...step, previews: ["x".repeat(2 ** 20)] } } as const;
  expect(JSON.parse(new TextDecoder().decode(wordOf(large))))
    .toEqual({ event: "progress", json: step });
  const endless = { event: "done", json: { images: ["x".repeat(2 ** 20)] } } as const;
  expect(wordOf(endless)).toBeUndefined();
});
