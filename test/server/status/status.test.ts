import { expect, onTestFinished, test } from "vitest";
import { joinSimulated } from "../../../server/bench/simulated_gpu.ts";
import { openWallet } from "../../../server/chain/mod.ts";
import { openNatsCluster } from "../../../server/cluster/mod.ts";
import { runCli } from "../../fixtures/cli.ts";
import { startNats } from "../../fixtures/nats_server.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const METRICS = `# HELP stepwise_images_total Images made
# TYPE stepwise_images_total counter
stepwise_images_total 12
stepwise_generations_total{outcome="done"} 10
stepwise_generations_total{outcome="queue_full"} 3
stepwise_generation_seconds_bucket{le="0.1"} 7
stepwise_queued 2
`;

/** A miner that is ready, or says why not. @returns its address. */
function miner(problems: readonly string[]): string {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.url.endsWith("/metrics")) return new Response(METRICS);
    const status = problems.length === 0 ? "ready" : "not ready";
    return Response.json({ status, problems }, { status: problems.length === 0 ? 200 : 503 });
  });
  onTestFinished(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}

test("status shows what neurons say of themselves, summed over labels, and who does not answer", async () => {
  const urls = [miner([]), miner(["The engine is lost: no device."]), "http://127.0.0.1:9"];
  const { code, stdout } = await runCli(["status", "--url", ...urls]);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines[0]).toBe(`${urls[0]}: ready, waiting 2, images 12, requests 13`);
  expect(lines.slice(1, 3)).toEqual([
    `${urls[1]}: not ready, waiting 2, images 12, requests 13`,
    "  The engine is lost: no device.",
  ]);
  expect(lines[3]).toBe("http://127.0.0.1:9: not ready");
  expect(lines[4]).toMatch(/^ {2}It does not answer: /);
});

test("status --json has a cluster's workers, queues and dead jobs", async () => {
  const nats = await startNats({ folder: await temporaryFolder() });
  onTestFinished(() => nats[Symbol.asyncDispose]());
  const { hotkey } = await openWallet({ path: "", name: "", hotkey: "//Bob", network: "devnet" });
  const options = { servers: [nats.url], prefix: "status" };
  await using cluster = await openNatsCluster(options, () => {});
  await using _ = await joinSimulated(cluster, hotkey, { ms: 1, log: () => {} });
  const args = ["--cluster", nats.url, "--cluster.prefix", "status", "--wallet.hotkey", "//Bob"];
  const { stdout } = await runCli(["status", ...args, "--url", miner([]), "--json"]);
  const { cluster: seen, neurons } = JSON.parse(stdout);
  expect(seen).toMatchObject({
    workers: [{ host: "simulated", compute: "simulated", model: "simulated", batch: 1 }],
    queues: [{ model: "simulated", waiting: 0, taken: 0 }],
    dead: [],
  });
  expect(neurons).toMatchObject([{ problems: [], metrics: { stepwise_generations_total: 13 } }]);
});
