import { Command } from "commander";
import { encodeAddress } from "@polkadot/util-crypto";
import { AppError, reason } from "../../../core/error.ts";
import process from "node:process";
import { stopped } from "../../runtime/mod.ts";
import { SubtensorClient } from "../client/mod.ts";
import { developmentPair, SS58_FORMAT } from "../wallet/mod.ts";
import { cryptoWaitReady } from "./signature.ts";
import { type Devnet, startDevnet } from "./devnet.ts";

interface DevnetFlags {
  readonly port: string;
  readonly blockTime: string;
  readonly state?: string;
  readonly netuid: string;
  readonly tempo: string;
  readonly mechanisms: string;
  readonly commitReveal: boolean;
  readonly fund: readonly string[];
  readonly register: readonly string[];
}

const RAO = 1_000_000_000n;
const ENDPOINT = "ws://127.0.0.1:9944";

const EXAMPLES = `
Examples:
  deno task devnet --register //Alice:1000 --register //Bob --state devnet.sqlite
  deno task devnet faucet 5Grw... 100
  deno task devnet register 5Grw... --stake 50

Keys such as //Alice are derived from a phrase that everybody knows. //Alice has a million TAO.
`;

export function devnetCommand(): Command {
  const command = new Command("devnet")
    .description("A chain on this machine that subtensor's clients can talk to.")
    .enablePositionalOptions()
    .option("--port <n>", "of 127.0.0.1", "9944")
    .option("--block-time <seconds>", "from block to block", "1")
    .option("--state <file>", "SQLite: a restart continues it (default: in memory)")
    .option("--netuid <n>", "the subnet that there is", "1")
    .option("--tempo <blocks>", "from epoch to epoch", "20")
    .option("--mechanisms <n>", "what the subnet pays for, each with weights of its own", "1")
    .option("--commit-reveal", "weights are committed timelocked, and revealed later", false)
    .option(
      "--fund <key[:tao]>",
      "an address or //Key, from the first block on; 1000 without :tao",
      gather,
      [],
    )
    .option(
      "--register <key[:stake]>",
      "a neuron that is there from the first block on",
      gather,
      [],
    )
    .addHelpText("after", EXAMPLES)
    .action(serve);
  command.command("faucet <address> <tao>")
    .description("Give TAO to an address, or to //Key.")
    .option("--endpoint <url>", "of the devnet", ENDPOINT)
    .action(faucet);
  command.command("register <hotkey>")
    .description(
      "Give a hotkey, an address or //Key, a uid, if it has none, and stake; paid by //Alice.",
    )
    .option("--endpoint <url>", "of the devnet", ENDPOINT)
    .option("--netuid <n>", "the subnet", "1")
    .option("--stake <alpha>", "to put on it", "0")
    .action(register);
  return command;
}

function gather(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

async function serve(flags: DevnetFlags): Promise<void> {
  await cryptoWaitReady();
  const devnet = await startDevnet({
    port: wholeOf("--port", flags.port, 0, 65535),
    blockMs: Math.round(1000 * amountOf("--block-time", flags.blockTime, 0.02)),
    path: flags.state,
    netuid: wholeOf("--netuid", flags.netuid, 1, 65535),
    hyperparameters: {
      tempo: wholeOf("--tempo", flags.tempo, 1, 65535),
      commitReveal: flags.commitReveal,
      mechanisms: wholeOf("--mechanisms", flags.mechanisms, 1, 15),
    },
    funds: Object.fromEntries(["//Alice:1000000", ...flags.fund].map((each) => {
      const [key, tao] = splitKey(each);
      return [addressOf(key), raoOf("--fund", tao ?? "1000")];
    })),
    neurons: flags.register.map((each) => {
      const [key, stake] = splitKey(each);
      const hotkey = addressOf(key);
      return { hotkey, coldkey: hotkey, stake: raoOf("--register", stake ?? "0") };
    }),
  });
  console.log(`Devnet at ${devnet.endpoint}, block ${devnet.chain.head.number}`);
  await untilStopped(devnet);
}

async function untilStopped(devnet: Devnet): Promise<void> {
  await stopped();
  await devnet[Symbol.asyncDispose]();
  process.exit(0);
}

async function faucet(
  to: string,
  tao: string,
  { endpoint }: { readonly endpoint: string },
): Promise<void> {
  await cryptoWaitReady();
  const [address, rao] = [addressOf(to), raoOf("the amount", tao)];
  await using client = await connect(endpoint, 1);
  await client.transfer(address, rao, developmentPair("//Alice"));
  console.log(`${tao} TAO to ${address}`);
}

async function register(
  who: string,
  flags: { readonly endpoint: string; readonly netuid: string; readonly stake: string },
): Promise<void> {
  await cryptoWaitReady();
  const netuid = wholeOf("--netuid", flags.netuid, 1, 65535);
  const [hotkey, stake] = [addressOf(who), raoOf("--stake", flags.stake)];
  await using client = await connect(flags.endpoint, netuid);
  const alice = developmentPair("//Alice");
  const uidOf = async () =>
    (await client.metagraph()).neurons.find((neuron) => neuron.hotkey === hotkey)?.uid;
  if (await uidOf() === undefined) await client.register(hotkey, alice);
  if (stake > 0n) await client.addStake(hotkey, stake, alice);
  console.log(`${hotkey} has uid ${await uidOf()} on subnet ${netuid}`);
}

/** @throws AppError `chain_unreachable`, which says how to start one. */
async function connect(endpoint: string, netuid: number): Promise<SubtensorClient> {
  try {
    return await SubtensorClient.connect({ network: "devnet", endpoint, netuid });
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== "chain_unreachable") throw cause;
    throw new AppError(
      cause.code,
      `Cannot reach the devnet: no node answers at ${endpoint}; deno task devnet starts one, and ` +
        "--endpoint names another",
      { cause },
    );
  }
}

/** `//Alice:100` into key and amount. */
function splitKey(text: string): [key: string, amount: string | undefined] {
  const [, key, amount] = /^(.*?)(?::([0-9.]+))?$/.exec(text) ?? [];
  return [key, amount];
}

/** @param key an address, or `//Key`. @throws AppError `invalid_request`. */
function addressOf(key: string): string {
  try {
    return key.startsWith("//") ? developmentPair(key).address : encodeAddress(key, SS58_FORMAT);
  } catch (cause) {
    throw new AppError(
      "invalid_request",
      `Cannot use the devnet: ${key} is no address (${reason(cause)}), and no //Key`,
      { cause },
    );
  }
}

function raoOf(flag: string, text: string): bigint {
  return BigInt(Math.round(amountOf(flag, text, 0) * 1e6)) * (RAO / 1_000_000n);
}

function amountOf(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= min) return value;
  throw new AppError(
    "invalid_request",
    `Cannot use the devnet: ${flag} is ${text}, not a number from ${min} on`,
  );
}

function wholeOf(flag: string, text: string, min: number, max: number): number {
  const value = amountOf(flag, text, min);
  if (Number.isInteger(value) && value <= max) return value;
  throw new AppError(
    "invalid_request",
    `Cannot use the devnet: ${flag} is ${text}, not a whole number from ${min} to ${max}`,
  );
}
