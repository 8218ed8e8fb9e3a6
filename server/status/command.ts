import { Command } from "commander";
import { addWalletOptions, openWallet, type WalletFlags, walletPlace } from "../chain/mod.ts";
import { addConfigOption } from "../cli/mod.ts";
import {
  addClusterOptions,
  type ClusterFlags,
  clusterOptions,
  openNatsCluster,
} from "../cluster/mod.ts";
import { clusterStatus } from "./cluster_status.ts";
import { neuronStatus } from "./neuron_status.ts";
import type { Status } from "./status.ts";
import { statusTable } from "./table.ts";

interface StatusFlags extends WalletFlags, ClusterFlags {
  readonly url: readonly string[];
  readonly watch: boolean;
  readonly json: boolean;
}

/** Milliseconds from one look of --watch to the next. */
const AGAIN_MS = 2000;
/** Clears a terminal. */
const CLEAR = "\x1b[2J\x1b[H";
/** A miner's default address, and a validator's. */
const HERE = ["http://127.0.0.1:8091", "http://127.0.0.1:8092"];

export function statusCommand(): Command {
  const command = new Command("status")
    .description("What runs and how it goes: neurons by their addresses, and a cluster.");
  addWalletOptions(command);
  addClusterOptions(command, "none is looked at");
  command.optionsGroup("What is shown:")
    .option("--url <addresses...>", "of miners and validators", HERE)
    .option("--watch", "again every two seconds, until Ctrl-C", false)
    .option("--json", "one JSON object a look", false);
  return addConfigOption(command).action(status);
}

async function status(flags: StatusFlags): Promise<void> {
  const options = clusterOptions(flags);
  await using cluster = options && await openNatsCluster(options, () => {});
  const hotkey = cluster &&
    (await openWallet({ ...walletPlace(flags), network: "devnet" })).hotkey;
  do {
    const seen: Status = {
      cluster: cluster && hotkey && await clusterStatus(cluster, hotkey),
      neurons: await Promise.all(flags.url.map(neuronStatus)),
    };
    const shown = flags.json ? JSON.stringify(seen) : statusTable(seen);
    console.log(flags.watch && !flags.json ? `${CLEAR}${shown}` : shown);
    if (flags.watch) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  } while (flags.watch);
}
