import { Command } from "commander";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import {
  addChainOptions,
  addWalletOptions,
  type ChainFlags,
  chainOptions,
  isAddress,
  openColdkey,
  SubtensorClient,
  type WalletFlags,
  walletPlace,
} from "../chain/mod.ts";
import { addEnvironment, wholeFlag } from "../cli/mod.ts";
import { takeFolder } from "../storage/mod.ts";
import { formatTao, parseTao } from "./amount.ts";
import { exported } from "./export.ts";
import { type Due, Payouts } from "./payouts.ts";

interface StorageFlags {
  readonly storage: string;
}

interface LeastFlags extends StorageFlags {
  readonly least: string;
}

const EXAMPLES = `
A round:
  deno task payout creator mara 5Grw... --storage payouts
  deno task payout credit mara 12.5 --for "epoch 7" --storage payouts
  deno task payout preview --storage payouts
  deno task payout approve --least 1 --storage payouts
  deno task payout send --wallet.name treasury --storage payouts
`;

/** Who approves and sends, in the trail. */
const OPERATOR = "operator";

export function payoutCommand(): Command {
  const command = new Command("payout")
    .description("Pay creators who have no hotkey, from a double-entry ledger in whole rao.")
    .addHelpText("after", EXAMPLES);
  withStorage(command.command("creator <name> <address>"))
    .description("Say where a creator is paid from now on.")
    .action(register);
  withStorage(command.command("credit <creator> <tao>"))
    .description("Credit what a creator earned; once by its name.")
    .requiredOption("--for <what>", "what it was earned by, such as an epoch")
    .action(credit);
  withLeast(command.command("preview")).description("Who would be paid.").action(preview);
  withLeast(command.command("approve"))
    .description("Set what is due aside for sending.")
    .option("--below <tao>", "only what is at most so much, as a timer may approve by itself")
    .action(approve);
  addChainOptions(addWalletOptions(withStorage(command.command("send"))))
    .description("Send what is approved, by the wallet's coldkey; first what a crash left open.")
    .action(send);
  withStorage(command.command("retry <payment>"))
    .description("Let a payment that the chain refused be sent again.")
    .action(retry);
  withStorage(command.command("statement <creator>"))
    .description("What a creator earned and was paid, line by line.")
    .action(statement);
  withStorage(command.command("export"))
    .description("Payments and the trail of who did what, for auditors, as JSON.")
    .action(async (flags: StorageFlags) => {
      using payouts = await open(flags);
      console.log(exported(payouts));
    });
  return command;
}

function withStorage(command: Command): Command {
  return addEnvironment(command).requiredOption("--storage <folder>", "of the ledger");
}

function withLeast(command: Command): Command {
  return withStorage(command).option("--least <tao>", "leave out who is due less", "0.1");
}

/** One process at a time has the ledger. */
async function open({ storage }: StorageFlags): Promise<Payouts & Disposable> {
  const lock = await takeFolder(storage, ["payout"]);
  const payouts = new Payouts(join(storage, "payouts.sqlite"));
  const close = payouts[Symbol.dispose].bind(payouts);
  return Object.assign(payouts, {
    [Symbol.dispose]() {
      close();
      lock[Symbol.dispose]();
    },
  });
}

async function register(name: string, address: string, flags: StorageFlags): Promise<void> {
  if (!isAddress(address)) {
    throw new AppError("invalid_request", `Cannot pay ${name}: ${address} is no SS58 address`);
  }
  using payouts = await open(flags);
  payouts.register(name, address, OPERATOR);
  console.log(`${name} is paid at ${address}`);
}

async function credit(
  creator: string,
  tao: string,
  flags: StorageFlags & { readonly for: string },
): Promise<void> {
  const rao = parseTao(tao, "the amount");
  using payouts = await open(flags);
  const isNew = payouts.earn(creator, rao, flags.for);
  console.log(isNew ? `${tao} TAO to ${creator}` : `${creator} has it already: ${flags.for}`);
}

async function preview(flags: LeastFlags): Promise<void> {
  using payouts = await open(flags);
  show(payouts.preview(parseTao(flags.least, "--least")), "due");
}

async function approve(flags: LeastFlags & { readonly below?: string }): Promise<void> {
  const least = parseTao(flags.least, "--least");
  const below = flags.below === undefined ? undefined : parseTao(flags.below, "--below");
  using payouts = await open(flags);
  show(payouts.approve(least, below === undefined ? OPERATOR : "limit", below), "approved");
}

function show(due: readonly Due[], word: string): void {
  for (const { creator, address, rao } of due) {
    console.log(`${formatTao(rao).padStart(20)} TAO  ${creator}  ${address}`);
  }
  const sum = due.reduce((total, { rao }) => total + rao, 0n);
  console.log(`${formatTao(sum)} TAO ${word}, to ${due.length}`);
}

async function send(flags: StorageFlags & ChainFlags & WalletFlags): Promise<void> {
  using payouts = await open(flags);
  const key = await openColdkey(walletPlace(flags));
  await using client = await SubtensorClient.connect(chainOptions(flags));
  const outcomes = await payouts.send({
    sign: (transfers) => client.transfers.sign(transfers, key),
    send: (signed) => client.transfers.send(signed),
    outcome: (signed) => client.transfers.outcome(signed),
  });
  for (const outcome of outcomes) {
    console.log(outcome.state === "void" ? "void: no block took it" : describe(outcome));
  }
  console.log(`${formatTao(payouts.balance("paid"))} TAO paid in all`);
}

function describe(
  outcome: { readonly state: string; readonly block: number; readonly why?: string },
): string {
  const { state, block, why } = outcome;
  return `${state} in block ${block}${why === undefined ? "" : `: ${why}`}`;
}

async function retry(payment: string, flags: StorageFlags): Promise<void> {
  const id = wholeFlag("the payment", payment, 1, Number.MAX_SAFE_INTEGER);
  using payouts = await open(flags);
  if (!payouts.retry(id, OPERATOR)) {
    throw new AppError("invalid_request", `Cannot send payment ${id} again: it was not refused`);
  }
  console.log(`payment ${id} is approved again`);
}

async function statement(creator: string, flags: StorageFlags): Promise<void> {
  using payouts = await open(flags);
  for (const { at, what, rao, balance } of payouts.statement(creator)) {
    const [amount, rest] = [formatTao(rao), formatTao(balance)].map((each) => each.padStart(20));
    console.log(`${new Date(at).toISOString()} ${amount} ${rest}  ${what}`);
  }
}
