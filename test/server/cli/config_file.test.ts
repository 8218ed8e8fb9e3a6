import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { join } from "node:path";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { addConfigOption } from "../../../server/cli/mod.ts";

type Settings = Readonly<Record<string, string>>;

async function parsed(
  { flags = [], env = {}, config }: {
    readonly flags?: readonly string[];
    readonly env?: Settings;
    readonly config?: unknown;
  },
): Promise<Record<string, unknown>> {
  const command = new Command("miner").exitOverride()
    .option("--axon.port <n>", "", "8091")
    .option("--storage-bytes <n>", "", "1")
    .option("--no-chain", "")
    .option("--receipts.public", "", false)
    .addOption(new Option("--whitelist.hotkeys <keys...>").default([]))
    .addOption(new Option("--log <format>").choices(["json", "text"]))
    .action(() => {});
  const path = join(await temporaryFolder(), "miner.json");
  const text = typeof config === "string" ? config : JSON.stringify(config);
  if (config !== undefined) await Deno.writeTextFile(path, text);
  await addConfigOption(command, env)
    .parseAsync([...flags, ...(config === undefined ? [] : ["--config", path])], { from: "user" });
  const { config: _, ...rest } = command.opts();
  return rest;
}

const DEFAULTS = {
  ...{ "axon.port": "8091", storageBytes: "1", chain: true, "receipts.public": false },
  "whitelist.hotkeys": [],
};

test("a flag counts before the environment, and that before the file", async () => {
  const config = { "axon.port": 1, "storage-bytes": 10, "log": "json" };
  const env = { STEPWISE_AXON_PORT: "2", STEPWISE_STORAGE_BYTES: "20" };
  expect(await parsed({ flags: ["--axon.port", "3"], env, config })).toEqual({
    ...DEFAULTS,
    ...{ "axon.port": "3", storageBytes: "20", log: "json" },
  });
});

test.each([
  ["the file", {
    config: { chain: false, "receipts.public": true, "whitelist.hotkeys": ["5A", "5B"] },
  }],
  ["the environment", {
    env: {
      ...{ STEPWISE_CHAIN: "false", STEPWISE_RECEIPTS_PUBLIC: "1" },
      STEPWISE_WHITELIST_HOTKEYS: "5A, 5B",
    },
  }],
])("switches and lists come from %s", async (_, given) => {
  expect(await parsed(given)).toEqual({
    ...DEFAULTS,
    ...{ chain: false, "receipts.public": true, "whitelist.hotkeys": ["5A", "5B"] },
  });
});

test("bittensor's variables count for the flags that bittensor has, after ours", async () => {
  const env = { BT_AXON_PORT: "4", BT_STORAGE_BYTES: "5" };
  expect(await parsed({ env })).toEqual({ ...DEFAULTS, "axon.port": "4" });
  expect(await parsed({ env: { ...env, STEPWISE_AXON_PORT: "3" }, config: { "axon.port": 1 } }))
    .toEqual({ ...DEFAULTS, "axon.port": "3" });
});

test("nothing given leaves the defaults", async () => {
  expect(await parsed({ env: { STEPWISE_CACHE: "/x" } })).toEqual(DEFAULTS);
});

test.each([
  [{ config: { "axon.prot": 1 } }, /of .*miner\.json: axon\.prot is no flag of miner/],
  [{ config: { chain: "no" } }, /miner\.json: chain is "no", not true or false/],
  [{ config: { "axon.port": [1] } }, /miner\.json: axon\.port is \[1\], no text or number/],
  [{ config: { log: "xml" } }, /miner\.json: log is xml\. Allowed choices are json, text/],
  [{ config: "[1]" }, /miner\.json: it is no JSON object/],
  [{ config: "{" }, /miner\.json: it cannot be read/],
  [{ flags: ["--config", "/nowhere.json"] }, /\/nowhere\.json: it cannot be read \(ENOENT/],
  [{ env: { STEPWISE_CHAIN: "maybe" } }, /of STEPWISE_CHAIN: it is maybe, not true or false/],
  [{ env: { STEPWISE_LOG: "xml" } }, /of STEPWISE_LOG: log is xml/],
])("%j is refused by name", async (given, words) => {
  await expect(parsed(given)).rejects.toMatchObject({
    code: "invalid_request",
    message: expect.stringMatching(words),
  });
});
