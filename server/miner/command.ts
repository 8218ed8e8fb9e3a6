import { Command, Option } from "commander";
import { homedir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import {
  addChainOptions,
  addWalletOptions,
  type ChainFlags,
  chainOptions,
  openWallet,
  SubtensorClient,
  type WalletFlags,
  walletPlace,
} from "../chain/mod.ts";
import { COMPUTE_KINDS } from "../compute/mod.ts";
import { startMiner } from "./start_miner.ts";

interface MinerFlags extends WalletFlags, ChainFlags {
  readonly chain: boolean;
  readonly "axon.ip": string;
  readonly "axon.port": string;
  readonly "axon.external_ip"?: string;
  readonly "axon.external_port"?: string;
  readonly model: string;
  readonly variant?: string;
  readonly compute: string;
  readonly queue: string;
  readonly storage?: string;
  readonly storageBytes: string;
  readonly "blacklist.hotkeys": readonly string[];
  readonly "blacklist.coldkeys": readonly string[];
  readonly "blacklist.force_validator_permit": boolean;
  readonly "blacklist.allow_non_registered": boolean;
  readonly "blacklist.validator_minimum_tao": string;
  readonly "whitelist.hotkeys": readonly string[];
}

const EXAMPLES = `
Examples:
  deno task miner --netuid 1 --wallet.name mine --wallet.hotkey miner --axon.external_ip 203.0.113.7
  deno task miner --subtensor.network devnet --wallet.hotkey //Bob --axon.external_ip 0.0.0.0
  deno task miner --no-chain --whitelist.hotkeys 5Grw... --wallet.hotkey miner
`;

export function minerCommand(): Command {
  const command = new Command("miner").description("Make images for validators, and open steps.");
  addWalletOptions(command);
  addChainOptions(command)
    .option("--no-chain", "take requests of --whitelist.hotkeys alone, and register nowhere");
  return command.optionsGroup("Where it is reached:")
    .option("--axon.ip <address>", "to listen on", "0.0.0.0")
    .option("--axon.port <n>", "to listen on", "8091")
    .option("--axon.external_ip <address>", "that the chain tells others (default: not served)")
    .option("--axon.external_port <n>", "that the chain tells others (default: --axon.port)")
    .optionsGroup("With what:")
    .option("--model <source>", "embedded, a folder, hf:owner/name[@revision] or a URL", "embedded")
    .option("--variant <name>", "other weights of the same model, for example fp16")
    .addOption(
      new Option("--compute <host>", "what computes").choices([...COMPUTE_KINDS]).default("auto"),
    )
    .option("--queue <n>", "requests that may wait", "16")
    .option("--storage <folder>", "for transcripts (default: in the user's state folder)")
    .option("--storage-bytes <n>", "of all transcripts", String(4 * 2 ** 30))
    .optionsGroup("Who may ask:")
    .option("--blacklist.hotkeys <keys...>", "who may not", [])
    .option("--blacklist.coldkeys <keys...>", "whose hotkeys may not", [])
    .option("--blacklist.force_validator_permit", "only validators may", false)
    .option("--blacklist.allow_non_registered", "others than the subnet's neurons may, too", false)
    .option("--blacklist.validator_minimum_tao <tao>", "stake that a neuron needs", "0")
    .option("--whitelist.hotkeys <keys...>", "who always may", [])
    .addHelpText("after", EXAMPLES)
    .action(mine);
}

async function mine(flags: MinerFlags): Promise<void> {
  const place = walletPlace(flags);
  // Without a chain nothing is at stake, and a development key will do.
  const wallet = await openWallet(flags.chain ? place : { ...place, network: "devnet" });
  await using chain = flags.chain ? await SubtensorClient.connect(chainOptions(flags)) : undefined;
  const externalIp = flags["axon.external_ip"];
  const externalPort = flags["axon.external_port"];
  const log = logLine;
  const miner = await startMiner({
    wallet,
    chain,
    hostname: flags["axon.ip"],
    port: whole("--axon.port", flags["axon.port"], 0, 65535),
    external: externalIp === undefined ? undefined : {
      ip: externalIp,
      port: externalPort === undefined
        ? undefined
        : whole("--axon.external_port", externalPort, 1, 65535),
    },
    model: flags.model,
    variant: flags.variant,
    compute: flags.compute,
    queue: whole("--queue", flags.queue, 1, 10_000),
    folder: flags.storage ?? stateFolder(wallet.hotkey.address),
    maxTranscriptBytes: whole("--storage-bytes", flags.storageBytes, 2 ** 20, 2 ** 50),
    access: {
      hotkeys: flags["blacklist.hotkeys"],
      coldkeys: flags["blacklist.coldkeys"],
      forceValidatorPermit: flags["blacklist.force_validator_permit"],
      allowNonRegistered: flags["blacklist.allow_non_registered"],
      validatorMinimumTao: Number(flags["blacklist.validator_minimum_tao"]),
      whitelist: flags["whitelist.hotkeys"],
    },
    log,
  });
  console.log(`Mining as ${miner.hotkey} at ${miner.url}`);
  await stopped();
  log("stopping", {});
  await miner[Symbol.asyncDispose]();
}

function stateFolder(hotkey: string): string {
  const states = Deno.env.get("XDG_STATE_HOME") ?? join(homedir(), ".local", "state");
  return join(states, "stepwise", "miner", hotkey);
}

/** A line of JSON for each event. */
function logLine(event: string, facts: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ time: new Date().toISOString(), event, ...facts }));
}

/** SIGTERM and Ctrl-C finish what runs; a second one ends at once. */
function stopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked) Deno.exit(130);
      asked = true;
      resolve();
    });
  }
  return promise;
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AppError(
    "invalid_request",
    `Cannot mine: ${flag} is ${text}, not a whole number from ${least} to ${most}`,
  );
}
