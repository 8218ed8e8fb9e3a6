import { cryptoWaitReady } from "@polkadot/util-crypto";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHotkey } from "../../../core/keys/mod.ts";
import { developmentPair, startDevnet, SubtensorClient } from "../../chain/mod.ts";
import { openCompute } from "../../compute/mod.ts";
import {
  bucketStore,
  contentRoutes,
  Earnings,
  openRelevance,
  Periods,
  Publications,
  Publisher,
  RELEVANCE_MODEL,
  verifyBatch,
} from "../../content/mod.ts";
import { listen } from "../../http/mod.ts";
import { openKnownModel } from "../../models/mod.ts";
import { Payouts } from "../../payout/mod.ts";
import { Safety } from "../../safety/mod.ts";
import { Ledger, setsWeights } from "../../validator/mod.ts";
import { bluesky, mastodon, SpreadStore, Virality } from "../../virality/mod.ts";
import { like, openBound } from "./crowd.ts";
import { type KilledPayout, payKilled } from "./killed_payout.ts";
import { LocalBluesky } from "./local_bluesky.ts";
import { LocalMastodon } from "./local_mastodon.ts";
import { draw, stolen, submissionOf } from "./pictures.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const TAO = 1_000_000_000n;
const [NETUID, TEMPO, BLOCK_MS] = [1, 10, 500];
/** `netuid_index` of mechanism 1, a fact of the runtime. */
const CONTENT_INDEX = NETUID + 4096;
/** What a thief may write into a receipt. */
const LONG_AGO = { started: 0, finished: 1 };
/** A day's, for all creators together. */
const BUDGET = 10n * TAO;
const TREASURY = "//Dave";
const [MARA, EVE, SOL, MINER, THIEF] = ["a1", "e2", "50", "3b", "7f"]
  .map((byte) => openHotkey(byte.repeat(32)));

/**
 * The second layer on this machine: creators publish, post and are paid, and a cheat is not.
 * @returns whether everything that it should show was seen.
 */
export async function runContentDemo(
  { say, folder: given, minutes }: {
    readonly say: (text: string) => void;
    readonly folder?: string;
    /** After which it is a failure. */
    readonly minutes: number;
  },
): Promise<boolean> {
  await cryptoWaitReady();
  const until = Date.now() + 60_000 * minutes;
  const folder = given ?? await mkdtemp(join(tmpdir(), "stepwise-content-"));
  await using stack = new AsyncDisposableStack();
  const chain = await openChain(stack);
  say(`Chain at ${chain.devnet.endpoint}: mechanism 0 pays for computing, 1 for content`);
  const server = await openServer(stack, { folder, chain });
  say(`Content at ${server.url}/v1/content, batches in a bucket, Bluesky and Mastodon played here`);

  const refused: string[] = [];
  const publish = async (body: unknown) => {
    const response = await fetch(`${server.url}/v1/content`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const { id, scores, error } = await response.json();
    if (error) refused.push(error.message);
    say(error ? `  refused: ${error.message}` : `  ${id.slice(0, 12)} ${marksOf(scores)}`);
    return id as string | undefined;
  };
  const name = async (id: string | undefined, url: string) => {
    const address = `${server.url}/v1/content/${id}/posts`;
    const response = await fetch(address, { method: "POST", body: JSON.stringify({ url }) });
    const { error } = await response.json();
    if (error) {
      refused.push(error.message);
      say(`  refused: ${error.message}`);
    }
  };

  const artist = { ...server, miner: MINER };
  say("\nMara and Sol publish:");
  const gold = await draw(artist, "a golden tau symbol in a night sky with stars", 1);
  const forest = await draw(artist, "a silver tau symbol in a forest", 2);
  const [goldId, forestId] = [
    await publish(await submissionOf(gold, MARA, "gold")),
    await publish(await submissionOf(forest, SOL, "in the woods")),
  ];
  say("Eve publishes Mara's picture under receipts of her own, and one of hers twice:");
  await publish(await submissionOf(await stolen(gold, THIEF), EVE, "my gold"));
  await publish(await submissionOf(await stolen(gold, THIEF, LONG_AGO), EVE, "mine, long ago"));
  const white = await draw(artist, "a red tau symbol on a white background", 3);
  const whiteId = await publish(await submissionOf(white, EVE, "red"));
  await publish(await submissionOf(await stolen(white, THIEF), EVE, "red again"));

  say(
    "\nAll three post. 40 people like Mara's, 15 Sol's; Eve buys 900 likes, and names Mara's too:",
  );
  const { sky, mast, mastUrl } = server;
  const [mara, eve] = ["did:plc:mara", "did:plc:eve"];
  await openBound(sky, mara, { account: `bluesky:${mara}`, creator: MARA });
  await openBound(sky, eve, { account: `bluesky:${eve}`, creator: EVE });
  const sol = `mastodon:sol@${new URL(mastUrl).host}`;
  await openBound(mast, "sol", { account: sol, creator: SOL });
  sky.post("1", mara, { text: `gold ${server.url}/v1/content/${goldId}/image` });
  sky.post("2", eve, { text: `red ${server.url}/v1/content/${whiteId}/image` });
  sky.post("3", eve, { text: `look ${server.url}/v1/content/${goldId}/image` });
  mast.files.set("forest.png", forest.file);
  mast.post("1", "sol", { text: "in the woods", images: [`${mastUrl}/media/forest.png`] });
  like(sky, "1", { count: 40, name: "did:plc:fan" });
  like(sky, "2", { count: 900, bought: true, name: "did:plc:bought" });
  like(mast, "1", { count: 15, name: "reader" });
  await name(goldId, `at://${mara}/app.bsky.feed.post/1`);
  await name(whiteId, `at://${eve}/app.bsky.feed.post/2`);
  await name(goldId, `at://${eve}/app.bsky.feed.post/3`);
  await name(forestId, `${mastUrl}/@sol/1`);

  const batch = await server.publisher.batch();
  const car = batch && await server.store.get(`${batch.cid}.car`);
  const verified = car && await verifyBatch(car);
  const committed = await chain.client.commitmentOf(chain.alice.address);
  say(`\nBatch ${batch?.cid}: ${verified?.index.pieces.length} pieces, root on the chain`);
  const { creators } = server.earnings.now();
  const names = new Map([[MARA.address, "Mara"], [SOL.address, "Sol"], [EVE.address, "Eve"]]);
  for (const { creator, share } of creators) {
    say(`  ${names.get(creator)} earned ${(share / 1e7).toFixed(1)} %`);
  }

  say("The validator sets weights; the chain pays at the end of its epoch...");
  const incentive = await paid(chain, until);
  say(`  mechanism 1 gives Mara ${percent(incentive[1])}, Eve ${percent(incentive[2])}`);

  say("Sol has no hotkey: the ledger pays, and its process is killed once the chain has it...");
  const due = await credit(server, folder);
  const payout = await payKilled({
    ...{ main: MAIN, devnet: chain.devnet, folder: join(folder, "payouts"), treasury: TREASURY },
    ...{ creator: SOL.address, patience: 60_000 * minutes },
  });
  say(`  ${tao(payout.arrived)} TAO arrived, ${tao(payout.booked)} are booked as paid\n`);

  const claims = claimsOf({ refused, creators, incentive, due, payout });
  claims.push([
    "the batch is verified out of the bucket, and its root is on the chain",
    verified !== undefined && verified.index.root === batch?.root && committed === batch.root,
  ]);
  for (const [claim, holds] of claims) say(`${holds ? "yes" : " NO"}  ${claim}`);
  return claims.every(([, holds]) => holds);
}

function claimsOf({ refused, creators, incentive, due, payout }: {
  readonly refused: readonly string[];
  readonly creators: readonly { readonly creator: string; readonly share: number }[];
  readonly incentive: readonly number[];
  readonly due: bigint;
  readonly payout: KilledPayout;
}): [claim: string, holds: boolean][] {
  const says = (words: string) => refused.filter((each) => each.includes(words)).length;
  const earners = creators.map(({ creator }) => creator);
  return [
    ["a stolen picture, dated back too, and a duplicate were refused", says("is a copy of") === 3],
    ["another's piece under one's own post was refused", says("signs that the account") === 1],
    ["bought likes earn nothing", !earners.includes(EVE.address)],
    ["the honest two earn", earners.includes(MARA.address) && earners.includes(SOL.address)],
    ["mechanism 1 pays the honest creator", incentive[1] === 65535],
    ["the other earns nothing", incentive[2] === 0],
    ["Sol's money arrived once", due > 0n && payout.arrived === due && payout.booked === due],
    ["its process was killed before the ledger knew", payout.unsettled],
  ];
}

async function openChain(stack: AsyncDisposableStack) {
  const [alice, dave] = ["//Alice", TREASURY].map(developmentPair);
  const neuron = (hotkey: string, stake: bigint) => ({ hotkey, coldkey: alice.address, stake });
  const devnet = stack.use(
    await startDevnet({
      ...{ port: 0, blockMs: BLOCK_MS, netuid: NETUID },
      hyperparameters: { tempo: TEMPO, mechanisms: 2, weightsRateLimit: 1 },
      funds: { [alice.address]: 1000n * TAO, [dave.address]: 1000n * TAO },
      neurons: [
        neuron(alice.address, 1000n * TAO),
        neuron(MARA.address, 0n),
        neuron(EVE.address, 0n),
      ],
    }),
  );
  const { endpoint } = devnet;
  const client = stack.use(
    await SubtensorClient.connect({ network: "devnet", endpoint, netuid: NETUID }),
  );
  return { devnet, client, alice };
}

type OpenChain = Awaited<ReturnType<typeof openChain>>;

async function openServer(
  stack: AsyncDisposableStack,
  { folder, chain }: { readonly folder: string; readonly chain: OpenChain },
) {
  const serve = async (app: { fetch(request: Request): Response | Promise<Response> }) => {
    const at = { hostname: "127.0.0.1", port: 0 };
    const server = await listen(at, (request) => app.fetch(request));
    stack.defer(() => server.shutdown());
    return `http://127.0.0.1:${server.addr.port}`;
  };
  const [sky, mast] = [new LocalBluesky(), new LocalMastodon()];
  const [skyUrl, mastUrl] = [await serve(sky.app), await serve(mast.app)];
  const store = await openBucket(stack, join(folder, "bucket"));
  const model = await openKnownModel(RELEVANCE_MODEL);
  const host = stack.use(await openCompute("cpu"));
  const engine = stack.use(await host.open(model.files));
  const relevance = await openRelevance();
  stack.use(relevance.encoder);
  const publications = stack.use(new Publications(join(folder, "content.sqlite")));
  const publisher = new Publisher({
    ...{ publications, store, safety: stack.use(new Safety()), now: Date.now },
    relevance,
    commit: (root) => chain.client.setCommitment(root, chain.alice),
  });
  const virality = new Virality({
    store: stack.use(new SpreadStore(join(folder, "spread.sqlite"))),
    networks: { bluesky: bluesky({ base: skyUrl }), mastodon: mastodon({ servers: [mastUrl] }) },
    ...{ piece: (id: string) => publications.carried(id), now: Date.now },
  });
  const earnings = new Earnings({ publications, virality, now: Date.now });
  const log = (error: unknown) => console.error(error);
  const url = await serve(
    contentRoutes({ publisher, publications, virality, earnings, base: "", log, keptMs: 0 }),
  );
  const ledger = stack.use(new Ledger(":memory:"));
  stack.use(
    await setsWeights({ chain: chain.client, ledger, content: url, every: 4, hotkey: "//Alice" }),
  );
  return { url, sky, mast, mastUrl, store, model, engine, publisher, earnings };
}

/** A bucket of S3 in this process. */
async function openBucket(stack: AsyncDisposableStack, directory: string) {
  await mkdir(directory, { recursive: true });
  const { default: S3rver } = await import("s3rver");
  const server = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory },
    configureBuckets: [{ name: "batches", configs: [] }],
  });
  const { port } = await server.run();
  stack.defer(() => server.close());
  const keys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  return bucketStore({ url: `http://127.0.0.1:${port}/batches`, ...keys });
}

/** By uid, of mechanism 1: once an epoch has paid by weights, or the time is over. */
async function paid({ devnet: { chain: { state } } }: OpenChain, until: number) {
  const incentive = () => state.numbers("subtensorModule.incentive", CONTENT_INDEX);
  while (!incentive().some((each) => each > 0) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, BLOCK_MS));
  }
  return incentive();
}

/** Closes a day, and approves what it owes. @returns rao for the creator without a hotkey. */
async function credit(
  { earnings }: { readonly earnings: Earnings },
  folder: string,
): Promise<bigint> {
  await mkdir(join(folder, "payouts"), { recursive: true });
  using payouts = new Payouts(join(folder, "payouts", "payouts.sqlite"));
  using periods = new Periods(join(folder, "periods.sqlite"), {
    ...{ earned: () => earnings.now(), rao: BUDGET, now: Date.now },
  });
  periods.seen([MARA.address, EVE.address]);
  periods.close();
  periods.credit(payouts);
  payouts.approve(1n, "demonstration");
  return payouts.payments("approved").reduce((sum, { rao }) => sum + rao, 0n);
}

function marksOf(scores: Readonly<Record<string, { readonly value: number }>>): string {
  return Object.entries(scores).map(([name, { value }]) => `${name} ${value.toFixed(2)}`)
    .join(", ");
}

function percent(u16: number): string {
  return `${(100 * u16 / 65535).toFixed(0)} %`;
}

function tao(rao: bigint): string {
  return (Number(rao) / Number(TAO)).toFixed(4);
}
