import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { median } from "../../core/bench/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { type Cluster, openNatsCluster, startNatsServer } from "../cluster/mod.ts";
import { ClusterSource } from "../miner/mod.ts";
import { dayCommand } from "./cluster_day.ts";
import { joinSimulated, simulatedJob } from "./simulated_gpu.ts";

interface ClusterBenchFlags {
  readonly jobs: string;
  readonly ms: string;
  readonly json: boolean;
}

/** Workers of a run, and the time of an image: with 64 the machine must not be what is measured. */
const MANY = { workers: 64, ms: 4000, each: 3 };
const FEW = [1, 2, 4];
/** Jobs that one after the other show what the cluster adds to each. */
const ALONE = { jobs: 100, ms: 50 };

interface Run {
  readonly workers: number;
  /** Jobs a second. */
  readonly rate: number;
  /** Of what as many GPUs could do without waiting. */
  readonly ofIdeal: number;
  readonly messagesPerJob: number;
  readonly bytesPerJob: number;
}

export function clusterCommand(): Command {
  return new Command("cluster")
    .description("Jobs through a cluster on a nats-server of its own, with simulated GPUs.")
    .enablePositionalOptions()
    .option("--jobs <n>", "of each worker", "40")
    .option("--ms <n>", "that a simulated GPU takes for an image", "200")
    .option("--json", "print one JSON object", false)
    .action(benchCluster)
    .addCommand(dayCommand());
}

async function benchCluster(flags: ClusterBenchFlags): Promise<void> {
  const each = wholeFlag("--jobs", flags.jobs, 1, 10_000);
  const ms = wholeFlag("--ms", flags.ms, 1, 60_000);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "stepwise-cluster-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const { url } = stack.use(await startNatsServer(folder));
  const runs: Run[] = [];
  for (const workers of FEW) runs.push(await through(url, { workers, ms, each }));
  runs.push(await through(url, MANY));
  const added = await addedMs(url);
  console.log(flags.json ? JSON.stringify({ runs, added }) : reportOf(runs, added));
}

/** Has workers do their jobs, with always one more waiting for each. */
async function through(
  url: string,
  { workers, ms, each }: { readonly workers: number; readonly ms: number; readonly each: number },
): Promise<Run> {
  await using bench = await openBench(url, workers, ms);
  await Promise.all(Array.from({ length: workers }, () => bench.make()));
  const count = workers * each;
  const before = bench.traffic();
  const started = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: 2 * workers }, async () => {
    while (left-- > 0) await bench.make();
  }));
  const seconds = (performance.now() - started) / 1000;
  const after = bench.traffic();
  const rate = count / seconds;
  return {
    ...{ workers, rate, ofIdeal: rate / (workers * 1000 / ms) },
    messagesPerJob: (after.messages - before.messages) / count,
    bytesPerJob: (after.bytes - before.bytes) / count,
  };
}

/** What a job takes more than its GPU does, one after the other. */
async function addedMs(url: string): Promise<{ readonly median: number; readonly p99: number }> {
  await using bench = await openBench(url, 1, ALONE.ms);
  await bench.make();
  const added: number[] = [];
  for (let k = 0; k < ALONE.jobs; k++) {
    const started = performance.now();
    await bench.make();
    added.push(performance.now() - started - ALONE.ms);
  }
  const sorted = added.toSorted((a, b) => a - b);
  return { median: median(added), p99: sorted[Math.floor(0.99 * sorted.length)] };
}

/** An axon and its workers, each with a connection of its own, as on as many machines. */
async function openBench(url: string, workers: number, ms: number) {
  await using stack = new AsyncDisposableStack();
  const hotkey: Hotkey = openHotkey(undefined);
  const clusters: Cluster[] = [];
  const connected = async () => {
    const cluster = await openNatsCluster({ servers: [url], prefix: "bench" }, () => {});
    clusters.push(stack.use(cluster));
    return cluster;
  };
  for (let k = 0; k < workers; k++) {
    stack.use(await joinSimulated(await connected(), hotkey, { ms, log: () => {} }));
  }
  const source = await ClusterSource.connect(await connected(), hotkey, { log: () => {} });
  stack.defer(() => source.close());
  const owned = stack.move();
  return {
    make: () => source.run(simulatedJob(crypto.randomUUID(), hotkey.address)),
    traffic: () => {
      const all = clusters.map((cluster) => cluster.traffic());
      return {
        messages: all.reduce((sum, { messages }) => sum + messages, 0),
        bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function reportOf(
  runs: readonly Run[],
  added: { readonly median: number; readonly p99: number },
): string {
  const [one] = runs;
  const rows = runs.map(({ workers, rate, ofIdeal, messagesPerJob, bytesPerJob }) =>
    `${String(workers).padStart(7)}  ${rate.toFixed(2).padStart(7)}  ` +
    `${(ofIdeal / one.ofIdeal).toFixed(3).padStart(14)}  ${ofIdeal.toFixed(3).padStart(13)}  ` +
    `${messagesPerJob.toFixed(1).padStart(12)}  ${(bytesPerJob / 1000).toFixed(1).padStart(6)}`
  );
  return `workers   jobs/s  of one's rate  of the GPUs'  messages/job  kB/job
${rows.join("\n")}
added to a job: ${added.median.toFixed(1)} ms in the median, ${added.p99.toFixed(1)} ms at 99 %`;
}
