import type { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { type ChainOptions, parseEndpoint, parseNetwork } from "./client/mod.ts";
import { defaultWalletPath, walletPath, type WalletPlace } from "./wallet/mod.ts";

/** commander keeps a flag with a dot under its whole name. */
export interface WalletFlags {
  readonly "wallet.path": string;
  readonly "wallet.name": string;
  readonly "wallet.hotkey": string;
}

export interface ChainFlags {
  readonly netuid: string;
  readonly "subtensor.network"?: string;
  readonly "subtensor.chain_endpoint"?: string;
}

/** btcli's flags for a wallet. */
export function addWalletOptions(command: Command): Command {
  return command.optionsGroup("Identity:")
    .option("--wallet.name <name>", "the wallet's folder", "default")
    .option(
      "--wallet.hotkey <name>",
      "its hotkey; on the devnet also //Alice and the like",
      "default",
    )
    .option("--wallet.path <folder>", "of all wallets", defaultWalletPath());
}

/** btcli's flags for a chain. */
export function addChainOptions(command: Command): Command {
  return command.optionsGroup("Chain:")
    .option("--netuid <n>", "the subnet", "1")
    .option(
      "--subtensor.network <name>",
      "finney, test, local or devnet (default: finney, or the chain at --subtensor.chain_endpoint)",
    )
    .option("--subtensor.chain_endpoint <url>", "ws:// or wss://, instead of the network's own");
}

/** @throws AppError `invalid_request`. */
export function chainOptions(flags: ChainFlags): ChainOptions {
  const { "subtensor.chain_endpoint": endpoint, "subtensor.network": network } = flags;
  return {
    ...(network === undefined ? {} : { network: parseNetwork(network) }),
    netuid: parseNetuid(flags.netuid),
    ...(endpoint === undefined ? {} : { endpoint: parseEndpoint(endpoint) }),
  };
}

/** @throws AppError `invalid_request`. */
export function walletPlace(
  flags: WalletFlags & Pick<ChainFlags, "subtensor.network">,
): WalletPlace {
  return {
    path: walletPath(flags["wallet.path"]),
    name: flags["wallet.name"],
    hotkey: flags["wallet.hotkey"],
    network: parseNetwork(flags["subtensor.network"] ?? "finney"),
  };
}

function parseNetuid(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) < 65536) return Number(text);
  throw new AppError("invalid_request", `Cannot connect: --netuid is ${text}, not 0 to 65535`);
}
