import { Command } from "commander";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RelevanceEncoder } from "../../core/content/mod.ts";
import { AppError, reason } from "../../core/error.ts";
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
import { addEnvironment, wholeFlag } from "../cli/mod.ts";
import { cpuRuntime } from "../compute/mod.ts";
import { listen } from "../http/mod.ts";
import { FolderFiles } from "../models/mod.ts";
import { parseTao, Payouts } from "../payout/mod.ts";
import { stopped } from "../runtime/mod.ts";
import { Safety } from "../safety/mod.ts";
import { takeFolder } from "../storage/mod.ts";
import { bluesky, mastodon, SpreadStore, Virality } from "../virality/mod.ts";
import { verifyBatch } from "./batch.ts";
import { Earnings } from "./earnings.ts";
import { Periods } from "./periods.ts";
import { bucketStore, folderStore, type ObjectStore } from "./object_store.ts";
import { Publications } from "./publications.ts";
import { Publisher } from "./publisher.ts";
import { contentRoutes } from "./routes.ts";

interface StoreFlags {
  readonly storage: string;
  readonly s3?: string;
  readonly "s3.key"?: string;
  readonly "s3.secret"?: string;
}

interface ServeFlags extends StoreFlags, ChainFlags, WalletFlags {
  readonly port: string;
  readonly base?: string;
  readonly every: string;
  readonly commit: boolean;
  readonly payouts?: string;
  readonly "payouts.budget": string;
  readonly bluesky: string;
  readonly mastodon: readonly string[];
}

const RELEVANCE = join(import.meta.dirname ?? ".", "../../models/relevance");
/** The model whose pictures the encoders of {@link RELEVANCE} judge. */
const RELEVANCE_MODEL = "tau-tiny";

const BLUESKY = "https://public.api.bsky.app";
const MASTODON = ["https://mastodon.social"];
/** Milliseconds between looks at which posts are due. */
const READ_EVERY = 60_000;

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

function storeOf(flags: StoreFlags): ObjectStore {
  if (flags.s3 === undefined) return folderStore(join(flags.storage, "batches"));
  const { "s3.key": accessKeyId, "s3.secret": secretAccessKey } = flags;
  if (accessKeyId && secretAccessKey) {
    return bucketStore({ url: flags.s3, accessKeyId, secretAccessKey });
  }
  throw new AppError("invalid_request", "Cannot use --s3: --s3.key and --s3.secret are missing");
}

async function serve(flags: ServeFlags): Promise<void> {
  const port = wholeFlag("--port", flags.port, 0, 65535);
  const every = wholeFlag("--every", flags.every, 1, 1_000_000);
  await using stack = new AsyncDisposableStack();
  stack.use(await takeFolder(flags.storage, ["content"]));
  const publications = stack.use(new Publications(join(flags.storage, "content.sqlite")));
  const files = await FolderFiles.open({ name: RELEVANCE_MODEL, location: RELEVANCE });
  const encoder = stack.use(await RelevanceEncoder.open(files, await cpuRuntime()));
  const publisher = new Publisher({
    ...{ publications, store: storeOf(flags), safety: stack.use(new Safety()), now: Date.now },
    relevance: { encoder, model: RELEVANCE_MODEL },
    ...flags.commit ? { commit: await committer(flags, stack) } : {},
  });
  const base = flags.base ?? `http://127.0.0.1:${port}`;
  const virality = new Virality({
    store: stack.use(new SpreadStore(join(flags.storage, "spread.sqlite"))),
    networks: {
      bluesky: bluesky({ base: flags.bluesky }),
      mastodon: mastodon({ servers: flags.mastodon }),
    },
    piece: (id) => publications.carried(id),
    now: Date.now,
  });
  const earnings = new Earnings({ publications, virality, now: Date.now });
  if (flags.payouts !== undefined) await payDaily(flags, earnings, stack);
  const log = (error: unknown) => console.error(error);
  const app = contentRoutes({ publisher, publications, virality, earnings, base, log });
  const server = await listen(
    { hostname: "127.0.0.1", port },
    (request) => app.fetch(request),
  );
  stack.defer(() => server.shutdown());
  repeat(stack, 1000 * every, () => batch(publisher));
  repeat(stack, READ_EVERY, () => virality.readDue());
  console.log(`Content at ${base}/v1/content`);
  await stopped();
}

/** What fails is tried again the next time. */
function repeat(stack: AsyncDisposableStack, every: number, work: () => Promise<unknown>): void {
  const timer = setInterval(() => {
    work().catch((error) => console.error(`Cannot go on, which is tried again: ${reason(error)}`));
  }, every);
  stack.defer(() => clearInterval(timer));
}

/** Credits creators without a hotkey once a day; the ledger is free for `deno task payout` otherwise. */
async function payDaily(
  flags: ServeFlags,
  earnings: Earnings,
  stack: AsyncDisposableStack,
): Promise<void> {
  const folder = flags.payouts ?? "";
  const rao = parseTao(flags["payouts.budget"], "--payouts.budget");
  const client = stack.use(await SubtensorClient.connect(chainOptions(flags)));
  let known = new Set<string>();
  const periods = stack.use(
    new Periods(join(flags.storage, "periods.sqlite"), {
      ...{ earned: () => earnings.now(), rao, now: Date.now },
      onChain: (creator) => known.has(creator),
    }),
  );
  repeat(stack, READ_EVERY, async () => {
    const { neurons } = await client.metagraph();
    known = new Set(neurons.flatMap(({ hotkey, coldkey }) => [hotkey, coldkey]));
    periods.close();
    if (periods.waiting().length === 0) return;
    using _lock = await takeFolder(folder, ["payout"]);
    using payouts = new Payouts(join(folder, "payouts.sqlite"));
    periods.credit(payouts);
  });
}

async function committer(flags: ServeFlags, stack: AsyncDisposableStack) {
  const { pair } = await openWallet(walletPlace(flags));
  const client = stack.use(await SubtensorClient.connect(chainOptions(flags)));
  return (root: Uint8Array) => client.setCommitment(root, pair);
}

async function batch(publisher: Publisher): Promise<void> {
  const made = await publisher.batch();
  if (made) console.log(`batch ${made.epoch}: ${made.cid}, root ${made.root}`);
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
