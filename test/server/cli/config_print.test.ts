import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("config print says what a command would run with, where it is from, and no password", async () => {
  const file = join(await temporaryFolder(), "miner.json");
  await Deno.writeTextFile(file, JSON.stringify({ "axon.port": 1, queue: 2, batch: 3 }));
  const env = { STEPWISE_QUEUE: "4", STEPWISE_CLUSTER_PASSWORD: "s3cret" };
  const args = ["config", "print", "miner", "--config", file, "--axon.port", "5"];
  const { code, stdout, stderr } = await runCli(args, env);
  expect([code, stderr]).toEqual([0, ""]);
  const rows = new Map(
    stdout.trimEnd().split("\n").map((line) => {
      const [name, value, source] = line.split(/ {2,}/);
      return [name, [value, source]];
    }),
  );
  expect(rows.get("axon.port")).toEqual(['"5"', "command line"]);
  expect(rows.get("queue")).toEqual(['"4"', "environment"]);
  expect(rows.get("batch")).toEqual(['"3"', "--config"]);
  expect(rows.get("netuid")).toEqual(['"1"', "default"]);
  expect(rows.get("cluster.password")).toEqual(["(not shown)", "environment"]);
  expect(stdout).not.toContain("s3cret");
});

test("config print refuses what is no command with settings", async () => {
  expect(await runCli(["config", "print", "nonsense"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/nonsense is no command with settings/),
  });
});
