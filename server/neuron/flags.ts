import { type Command, Option } from "commander";
import {
  addChainOptions,
  addWalletOptions,
  type ChainFlags,
  type ChainOptions,
  type Wallet,
  type WalletFlags,
} from "../chain/mod.ts";
import {
  type Log,
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
  type LogOptions,
} from "../telemetry/mod.ts";
import { stateFolder } from "./state_folder.ts";
import { wholeFlag } from "../cli/mod.ts";
import type { EngineFlags } from "../compute/mod.ts";

/** A miner's default port. */
export const MINER_PORT = 8091;

export interface NeuronFlags extends WalletFlags, ChainFlags, EngineFlags {
  readonly "axon.ip": string;
  readonly "axon.port": string;
  readonly "axon.allow_private": boolean;
  readonly storage?: string;
  readonly lora?: readonly string[];
  readonly controlnet?: readonly string[];
  readonly log?: LogFormat;
  readonly "log.level": LogLevel;
}

/** What every neuron is started with. */
export interface NeuronOptions {
  readonly wallet: Wallet;
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly model: string;
  readonly variant?: string;
  readonly vae?: string;
  readonly configs?: string;
  /** Of `--lora`. */
  readonly adapters?: readonly string[];
  /** Of `--controlnet`. */
  readonly controls?: readonly string[];
  readonly compute: string;
  /** Of `--gpu`. */
  readonly gpu?: string;
  /** Of all that it must not lose. */
  readonly folder: string;
  readonly log: Log;
}

/** Its identity, and its chain. */
export function addNeuronOptions(command: Command): Command {
  addWalletOptions(command);
  return addChainOptions(command);
}

/** Its log, on standard error. */
export function addLogOptions(command: Command): Command {
  return command.optionsGroup("Logging:")
    .addOption(
      new Option(
        "--log <format>",
        "of events on standard error (default: text on a terminal, json elsewhere)",
      ).choices(LOG_FORMATS),
    )
    .addOption(
      new Option("--log.level <level>", "the lowest that is written")
        .choices(LOG_LEVELS).default("info"),
    );
}

export function logOptions(
  { log: format, "log.level": level }: Pick<NeuronFlags, "log" | "log.level">,
): LogOptions {
  return { format, level };
}

/** A flag for hotkeys or coldkeys, of which there may be none. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).default([], "nobody");
}

/**
 * @param subnet undefined for a neuron without a chain.
 * @throws AppError `invalid_request` naming the flag.
 */
export function neuronOptions(
  role: "miner" | "validator",
  flags: NeuronFlags,
  { wallet, subnet, log }: {
    readonly wallet: Wallet;
    readonly subnet: ChainOptions | undefined;
    readonly log: Log;
  },
): NeuronOptions {
  const port = wholeFlag("--axon.port", flags["axon.port"], 0, 65535);
  // Miners of one hotkey may be several on a machine, one a GPU; what a validator measured is one.
  const ownPort = role === "miner" && port !== MINER_PORT ? port : undefined;
  return {
    wallet,
    hostname: flags["axon.ip"],
    port,
    model: flags.model,
    variant: flags.variant,
    vae: flags.vae,
    configs: flags.configs,
    adapters: flags.lora,
    controls: flags.controlnet,
    compute: flags.compute,
    gpu: flags.gpu,
    folder: flags.storage ?? stateFolder(role, wallet.hotkey.address, subnet, ownPort),
    log,
  };
}
