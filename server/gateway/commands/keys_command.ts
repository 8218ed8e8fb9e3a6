import { mkdir } from "node:fs/promises";
import { Command } from "commander";
import { AppError } from "../../../core/error.ts";
import {
  addChainOptions,
  addWalletOptions,
  type ChainFlags,
  chainOptions,
  openWallet,
  type WalletFlags,
  walletPlace,
} from "../../chain/mod.ts";
import { addConfigOption } from "../../cli/mod.ts";
import { stateFolder } from "../../neuron/mod.ts";
import { PRIVATE_FOLDER } from "../../storage/mod.ts";
import { hashOfKey, newKeyText } from "../keys/mod.ts";
import { gatewayFile, GatewayStore, keyIdOf } from "../store/mod.ts";
import { webhookSecret } from "../webhooks/mod.ts";
import { addLimitOptions, expiryOf, type LimitFlags, limitsOf } from "./key_flags.ts";
import { keysText, keyText, usageCsv, usageText } from "./key_table.ts";

interface StoreFlags extends WalletFlags, ChainFlags {
  readonly storage?: string;
}

const EXAMPLES = `
Examples:
  deno task keys new website --images 1000 --wallet.name mine --wallet.hotkey validator
  deno task keys limit website --rate 120 --storage state
  deno task keys usage --csv --storage state > usage.csv

A validator that runs takes all of it over at once. Name its wallet and subnet, or its --storage.
`;
const MAX_NAME = 100;

export function keysCommand(): Command {
  return new Command("keys")
    .description("Keys of applications that use a validator: make, limit and revoke them.")
    .addCommand(newCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(limitCommand())
    .addCommand(revokeCommand())
    .addCommand(usageCommand())
    .addHelpText("after", EXAMPLES);
}

function newCommand(): Command {
  const command = new Command("new").argument("<name>", "for people: who uses it")
    .description("Make a key. It is shown this once; only its hash is kept.");
  return withStore(addLimitOptions(command)).action(
    (name: string, flags: StoreFlags & LimitFlags) =>
      using(flags, (store) => {
        checkName(name);
        const text = newKeyText();
        const hash = hashOfKey(text);
        store.keys.add({
          id: keyIdOf(hash),
          name,
          hash,
          limits: limitsOf(flags),
          expires: expiryOf(flags),
        });
        console.log(text);
        console.error("This key is not shown again. What is known of it: deno task keys show");
      }),
  );
}

function listCommand(): Command {
  return withStore(new Command("list").description("All keys, and what they used today."))
    .action((flags: StoreFlags) =>
      using(flags, (store) => {
        const today = ({ id }: { readonly id: string }) => store.usage.imagesToday(id);
        console.log(keysText(store.keys.list(), store.now(), today));
      })
    );
}

function showCommand(): Command {
  return withStore(named("show", "What is known of a key, and what signs its webhooks."))
    .action((name: string, flags: StoreFlags) =>
      using(flags, (store) => {
        const key = store.keys.named(name);
        console.log(keyText(key, store.now(), webhookSecret(store.secret, key.id)));
      })
    );
}

function limitCommand(): Command {
  return withStore(addLimitOptions(named("limit", "Change what a key may use.")))
    .action((name: string, flags: StoreFlags & LimitFlags) =>
      using(flags, (store) => {
        const { id, limits, expires } = store.keys.named(name);
        store.keys.limit(id, limitsOf(flags, limits), expiryOf(flags, expires));
        console.log(
          keyText(store.keys.named(id), store.now(), webhookSecret(store.secret, id)),
        );
      })
    );
}

function revokeCommand(): Command {
  return withStore(named("revoke", "Take a key back, for good."))
    .action((name: string, flags: StoreFlags) =>
      using(flags, (store) => {
        const { id } = store.keys.named(name);
        store.keys.revoke(id);
        console.log(`${name} is revoked. Its jobs that were accepted are still made.`);
      })
    );
}

function usageCommand(): Command {
  const command = new Command("usage")
    .description("What each key used, by days in UTC.")
    .option("--csv", "for a spreadsheet", false)
    .option("--since <date>", "from that day on, such as 2027-01-01");
  return withStore(command).action((flags: StoreFlags & UsageFlags) =>
    using(flags, (store) => {
      const names = new Map(store.keys.list().map(({ id, name }) => [id, name]));
      const text = flags.csv ? usageCsv : usageText;
      const usage = store.usage.list({ since: flags.since });
      console.log(text(usage, (owner) => names.get(owner) ?? owner));
    })
  );
}

interface UsageFlags {
  readonly csv: boolean;
  readonly since?: string;
}

function named(command: string, description: string): Command {
  return new Command(command).argument("<name>", "of the key, or its id").description(description);
}

function withStore(command: Command): Command {
  addWalletOptions(command);
  addChainOptions(command)
    .option("--storage <folder>", "of the validator (default: in the user's state folder)");
  return addConfigOption(command);
}

async function using(flags: StoreFlags, work: (store: GatewayStore) => void): Promise<void> {
  const folder = flags.storage ?? await validatorFolder(flags);
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  using store = new GatewayStore(gatewayFile(folder));
  work(store);
}

async function validatorFolder(flags: StoreFlags): Promise<string> {
  const { hotkey } = await openWallet(walletPlace(flags));
  return stateFolder("validator", hotkey.address, chainOptions(flags));
}

/** @throws AppError `invalid_request`. */
function checkName(name: string): void {
  if (name.trim() === name && name.length >= 1 && name.length <= MAX_NAME) return;
  throw new AppError(
    "invalid_request",
    `Cannot make the key: its name is "${name}", not 1 to ${MAX_NAME} characters without spaces around`,
  );
}
