import process from "node:process";
import { cheatingEngine, zoo } from "../../core/adversary/mod.ts";
import { AppError } from "../../core/error.ts";
import { readLatentChannels, readOwnScheduler } from "../../core/model/mod.ts";
import { openWallet, SubtensorClient } from "../chain/mod.ts";
import { startLog } from "../telemetry/mod.ts";
import { startMiner } from "../miner/mod.ts";
import { runNeuron } from "../neuron/mod.ts";

/**
 * A miner that cheats, as a process of its own, for the demonstration and the tests.
 * Arguments: hotkey, endpoint, netuid, address, port, folder, name of the cheat.
 */
const [hotkey, endpoint, netuid, ip, port, folder, name] = process.argv.slice(2);
const cheat = zoo.find((each) => each.name === name);
if (!cheat) throw new AppError("invalid_request", `Cannot cheat: there is no ${name} in the zoo`);
const log = startLog();
await using chain = await SubtensorClient.connect({
  network: "devnet",
  endpoint,
  netuid: Number(netuid),
});
const miner = await startMiner({
  wallet: await openWallet({ path: "", name: "", hotkey, network: "devnet" }),
  chain,
  hostname: ip,
  port: Number(port),
  external: { ip },
  model: "embedded",
  compute: "cpu",
  queue: 32,
  batch: 1,
  folder,
  maxTranscriptBytes: 2 ** 30,
  whitelist: { hotkeys: [] },
  log,
  wrap: async (engine, files) => {
    const { config } = await readOwnScheduler(files);
    return cheatingEngine(engine, cheat, config, await readLatentChannels(files));
  },
});
await runNeuron("mining", miner, log);
process.exit(0);
