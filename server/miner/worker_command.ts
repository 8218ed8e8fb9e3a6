import { Command, Option } from "commander";
import { hostname } from "node:os";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import { REQUEST_LIMITS } from "../../core/request_limits.ts";
import {
  addWalletOptions,
  openWallet,
  type Wallet,
  type WalletFlags,
  walletPlace,
} from "../chain/mod.ts";
import { addConfigOption, wholeFlag } from "../cli/mod.ts";
import {
  addClusterOptions,
  type Cluster,
  type ClusterFlags,
  clusterOptions,
  openNatsCluster,
} from "../cluster/mod.ts";
import {
  addEngineOptions,
  controlnetOption,
  type EngineFlags,
  loraOption,
} from "../compute/mod.ts";
import { addLogOptions, logOptions, type NeuronFlags, stateFolder } from "../neuron/mod.ts";
import { stopped } from "../runtime/mod.ts";
import { type Log, startLog } from "../telemetry/mod.ts";
import { drainMachine } from "./cluster_drain.ts";
import { gpusOf, ownGpu, runOnEach } from "./gpu_processes.ts";
import { startWorker } from "./start_worker.ts";

interface WorkerFlags
  extends
    WalletFlags,
    EngineFlags,
    ClusterFlags,
    Pick<NeuronFlags, "storage" | "lora" | "controlnet" | "log" | "log.level"> {
  readonly gpus?: string;
  readonly drain: boolean;
  readonly batch: string;
  readonly storageBytes: string;
}

const EXAMPLES = `
Examples:
  deno task worker --cluster nats://10.0.0.5:4222 --wallet.name mine --wallet.hotkey miner
  deno task worker --cluster nats://10.0.0.5:4222 --wallet.name mine --gpus all
  deno task worker --cluster nats://10.0.0.5:4222 --wallet.name mine --drain
`;

export function workerCommand(): Command {
  const command = new Command("worker")
    .description("Make images for the axons of a cluster, and open steps for them.");
  addWalletOptions(command);
  addClusterOptions(command, "required");
  addEngineOptions(command.optionsGroup("With what:"))
    .addOption(loraOption("--lora <source>", "a LoRA that requests may name"))
    .addOption(controlnetOption("a ControlNet that requests may name, besides the model's own"))
    .addOption(
      new Option(
        "--gpus <list>",
        "one process for each of these GPUs, by their numbers as in 0,2, or all (default: one process)",
      ).conflicts("gpu"),
    )
    .option("--batch <n>", "images that run together, where their requests allow it", "4")
    .option("--storage <folder>", "for transcripts (default: in the user's state folder)")
    .addOption(
      new Option("--storage-bytes <n>", "of all transcripts, in each process")
        .default(String(4 * 2 ** 30), "4294967296, 4 GiB"),
    )
    .option("--drain", "have this machine's workers finish and leave, and wait for that", false);
  addConfigOption(addLogOptions(command));
  return command.addHelpText("after", EXAMPLES).action(work);
}

async function work(flags: WorkerFlags): Promise<void> {
  const log = startLog(logOptions(flags));
  if (flags.gpus !== undefined && !flags.drain && ownGpu() === undefined) {
    return await runOnEach(await gpusOf(flags.gpus), log);
  }
  // A development key will do where there is no wallet at stake.
  const wallet = await openWallet({ ...walletPlace(flags), network: "devnet" });
  const options = clusterOptions(flags);
  if (!options) {
    throw new AppError(
      "invalid_request",
      "Cannot start: --cluster is not given; name the NATS servers, as in nats://10.0.0.5:4222",
    );
  }
  await using cluster = await openNatsCluster(options, log);
  if (flags.drain) return await drainMachine(cluster, wallet.hotkey, hostname(), log);
  await serve(flags, { cluster, wallet, log });
}

async function serve(
  flags: WorkerFlags,
  of: { readonly cluster: Cluster; readonly wallet: Wallet; readonly log: Log },
): Promise<void> {
  const { log, wallet: { hotkey: { address } } } = of;
  const own = ownGpu();
  const state = flags.storage ?? stateFolder("worker", address, undefined);
  const worker = await startWorker({
    ...of,
    ...{ model: flags.model, variant: flags.variant, vae: flags.vae, configs: flags.configs },
    ...{ adapters: flags.lora, controls: flags.controlnet, compute: flags.compute, gpu: flags.gpu },
    folder: own === undefined ? state : join(state, `gpu-${own}`),
    batch: wholeFlag("--batch", flags.batch, 1, REQUEST_LIMITS.batch),
    maxTranscriptBytes: wholeFlag("--storage-bytes", flags.storageBytes, 2 ** 20, 2 ** 50),
  });
  log("working", { id: worker.id, hotkey: address });
  await Promise.race([stopped(), worker.drained]);
  log("stopping", { running: worker.running(), waiting: "for what runs" });
  await worker[Symbol.asyncDispose]();
  log("stopped", {});
}
