import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { joinSimulated, simulatedJob } from "../../../server/bench/simulated_gpu.ts";
import { openLocalCluster } from "../../../server/cluster/mod.ts";
import { ClusterCall } from "../../../server/miner/cluster_call.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const HOTKEY = openHotkey("5e".repeat(32));
const log = () => {};

test("a job that its queue has lost is asked for again, and made once", async () => {
  const cluster = await openLocalCluster(join(await temporaryFolder(), "cluster"));
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const worker = await joinSimulated(cluster, HOTKEY, { ms: 5, log });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  const [answers, files] = [await cluster.once("answers", 60), await cluster.blobs("files", 60)];
  const add = cluster.work.add.bind(cluster.work);
  const added: string[] = [];
  // The first is acknowledged, and gone.
  cluster.work.add = (kind, id, body) => {
    added.push(id);
    return added.length === 1 ? Promise.resolve(true) : add(kind, id, body);
  };
  const kind = () => `${HOTKEY.address}_${"ab".repeat(32)}`;
  const parts = { cluster, hotkey: HOTKEY, answers, files, kind, lookMs: 20, lostMs: 50 };
  const { images } = await new ClusterCall(parts, simulatedJob("job-1", "5Caller")).made();
  expect(images).toHaveLength(1);
  expect(added).toEqual(["job-1", "job-1"]);
});
