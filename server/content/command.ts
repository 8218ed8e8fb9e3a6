import { Command } from "commander";
import { readFile } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";
import { addChainOptions, addWalletOptions } from "../chain/mod.ts";
import { addEnvironment } from "../cli/mod.ts";
import { computeOption } from "../compute/mod.ts";
import { verifyBatch } from "./batch.ts";
import type { StoreFlags } from "./flags.ts";
import { serve, storeOf } from "./serve.ts";

const BLUESKY = "https://public.api.bsky.app";
const MASTODON = ["https://mastodon.social"];
const EXAMPLES = `
Examples:
  deno task content serve --storage content --port 8095
  deno task content verify bafybei....car
  deno task content verify bafybei... --storage content
`;

export function contentCommand(): Command {
  const command = new Command("content")
    .description("Publish pictures with their receipts: scored, in batches, for anybody to check.")
    .addHelpText("after", EXAMPLES);
  addChainOptions(addWalletOptions(withStore(command.command("serve"))))
    .description("Take pictures at POST /v1/content, and store them in batches.")
    .option("--port <n>", "to listen on", "8095")
    .option("--base <url>", "as readers reach it (default: http://127.0.0.1 and the port)")
    .option("--every <seconds>", "from batch to batch", "4320")
    .option("--commit", "commit each batch's root on the chain, by the wallet's hotkey", false)
    .option(
      "--check <share>",
      "have each picture's miner open steps (levels 0 and 1), and of this share check\n" +
        "the network and the image too (2 and 3); without it a receipt is believed at level 0",
    )
    .addOption(computeOption())
    .option("--api.storage <folder>", "of a validator, whose API keys may publish for their users")
    .option("--pin.url <url>", "of an IPFS pinning service, which batches are pinned at besides")
    .option("--pin.token <token>", "its access token; better by STEPWISE_PIN_TOKEN")
    .option("--payouts <folder>", "of the ledger, which creators without a hotkey are credited in")
    .option("--payouts.budget <tao>", "a day, for what all creators earn together", "0")
    .option("--bluesky <url>", "the AppView that posts are read from", BLUESKY)
    .option(
      "--mastodon <url...>",
      "servers whose posts and accounts count; who runs one decides what it says",
      MASTODON,
    )
    .action(serve);
  withStore(command.command("verify <cid|file>"))
    .description("Check a batch: blocks, root, receipts, creators, files.")
    .action(verify);
  return command;
}

function withStore(command: Command): Command {
  return addEnvironment(command)
    .option("--storage <folder>", "of what is published, and of batches", "content")
    .option("--s3 <url>", "a bucket for batches instead: https://s3.example/bucket")
    .option("--s3.key <id>", "its access key")
    .option("--s3.secret <secret>", "of the key; better by STEPWISE_S3_SECRET");
}

async function verify(given: string, flags: StoreFlags): Promise<void> {
  const { cid, index } = await verifyBatch(await carOf(given, flags));
  if (!given.endsWith(".car") && given !== cid) {
    throw new AppError("receipt_mismatch", `Cannot accept the batch: it is ${cid}, not ${given}`);
  }
  console.log(`${cid}: batch ${index.epoch}, root ${index.root}`);
  for (const { id, creator, caption, scores } of index.pieces) {
    const marks = Object.entries(scores).map(([name, { value }]) => `${name} ${value.toFixed(3)}`);
    console.log(`  ${id}  ${creator}  ${marks.join(", ")}  ${JSON.stringify(caption)}`);
  }
}

async function carOf(given: string, flags: StoreFlags): Promise<Uint8Array> {
  if (given.endsWith(".car")) {
    return await readFile(given).catch((cause) => {
      throw new AppError("storage_failed", `Cannot read ${given}: ${reason(cause)}`, { cause });
    });
  }
  const car = await storeOf(flags).get(`${given}.car`);
  if (car) return car;
  throw new AppError("not_found", `Cannot find the batch: ${given} is not in the store`);
}
