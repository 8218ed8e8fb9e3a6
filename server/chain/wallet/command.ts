import { Command } from "commander";
import { addEnvironment } from "../../cli/mod.ts";
import { newWallet } from "./new_wallet.ts";
import { newPassword } from "./password.ts";
import { defaultWalletPath, openWallet, walletPath } from "./wallet.ts";

interface WalletCommandFlags {
  readonly "wallet.path": string;
  readonly "wallet.name": string;
  readonly "wallet.hotkey": string;
}

export function walletCommand(): Command {
  const command = new Command("wallet").description("Wallets as btcli keeps them.");
  withFlags(command.command("new"))
    .description("Make a hotkey, and a coldkey where the wallet has none.")
    .option("--use-password", "encrypt the coldkey: asks, or takes STEPWISE_WALLET_PASSWORD", true)
    .option("--no-use-password", "leave the coldkey unencrypted")
    .action(makeNew);
  withFlags(command.command("show"))
    .description("The addresses of a wallet.")
    .action(show);
  return command;
}

function withFlags(command: Command): Command {
  return addEnvironment(command)
    .option("--wallet.name <name>", "the wallet's folder", "default")
    .option("--wallet.hotkey <name>", "its hotkey", "default")
    .option("--wallet.path <folder>", "of all wallets", defaultWalletPath());
}

async function makeNew(
  flags: WalletCommandFlags & { readonly usePassword: boolean },
): Promise<void> {
  const { files, coldkey, hotkey } = await newWallet({
    path: walletPath(flags["wallet.path"]),
    name: flags["wallet.name"],
    hotkey: flags["wallet.hotkey"],
    ...(flags.usePassword ? { password: newPassword } : {}),
  });
  if (coldkey) {
    console.log(`coldkey ${coldkey}`);
    console.log(flags.usePassword ? "  encrypted" : "  NOT encrypted");
  }
  console.log(`hotkey  ${hotkey}`);
  console.log(
    "These files are the keys, and have their phrases inside. Keep them secret, and a copy:",
  );
  for (const file of files) console.log(`  ${file}`);
}

async function show(flags: WalletCommandFlags): Promise<void> {
  const { hotkey, coldkey } = await openWallet({
    path: walletPath(flags["wallet.path"]),
    name: flags["wallet.name"],
    hotkey: flags["wallet.hotkey"],
    network: "finney",
  });
  console.log(`coldkey ${coldkey ?? "unknown: the wallet has no coldkeypub.txt"}`);
  console.log(`hotkey  ${hotkey.address}`);
}
