import { chainParts, pinningOf, usersOf } from "./publisher_parts.ts";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import { chainOptions, SubtensorClient } from "../chain/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { listen } from "../http/mod.ts";
import { parseTao, Payouts } from "../payout/mod.ts";
import { stopped } from "../runtime/mod.ts";
import { Safety } from "../safety/mod.ts";
import { takeFolder } from "../storage/mod.ts";
import { bluesky, mastodon, SpreadStore, Virality } from "../virality/mod.ts";
import type { ServeFlags, StoreFlags } from "./flags.ts";
import { Earnings } from "./earnings.ts";
import { Periods } from "./periods.ts";
import { bucketStore, folderStore, type ObjectStore } from "./object_store.ts";
import { Publications } from "./publications.ts";
import { Publisher } from "./publisher.ts";
import { openRelevance } from "./relevance_model.ts";
import { repeat } from "./repeat.ts";
import { contentRoutes } from "./routes.ts";

/** Milliseconds between looks at which posts are due. */
const READ_EVERY = 60_000;

export function storeOf(flags: StoreFlags): ObjectStore {
  if (flags.s3 === undefined) return folderStore(join(flags.storage, "batches"));
  const { "s3.key": accessKeyId, "s3.secret": secretAccessKey } = flags;
  if (accessKeyId && secretAccessKey) {
    return bucketStore({ url: flags.s3, accessKeyId, secretAccessKey });
  }
  throw new AppError("invalid_request", "Cannot use --s3: --s3.key and --s3.secret are missing");
}

export async function serve(flags: ServeFlags): Promise<void> {
  const port = wholeFlag("--port", flags.port, 0, 65535);
  const every = wholeFlag("--every", flags.every, 1, 1_000_000);
  await using stack = new AsyncDisposableStack();
  stack.use(await takeFolder(flags.storage, ["content"]));
  const publications = stack.use(new Publications(join(flags.storage, "content.sqlite")));
  const relevance = await openRelevance();
  stack.use(relevance.encoder);
  const publisher = new Publisher({
    ...{ publications, store: storeOf(flags), safety: stack.use(new Safety()), now: Date.now },
    relevance,
    ...await chainParts(flags, publications.refusals, stack),
    ...pinningOf(flags),
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
  const userOf = usersOf(flags, stack);
  const app = contentRoutes({ publisher, publications, virality, earnings, userOf, base, log });
  const server = await listen(
    { hostname: "127.0.0.1", port },
    (request) => app.fetch(request),
  );
  stack.defer(() => server.shutdown());
  repeat(stack, 1000 * every, () => batch(publisher));
  // What a crash left open is not waited for.
  if (publications.openBatch() !== undefined) batch(publisher).catch(log);
  repeat(stack, READ_EVERY, () => virality.readDue());
  repeat(stack, READ_EVERY, () => publisher.pin());
  console.log(`Content at ${base}/v1/content`);
  await stopped();
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
  const periods = stack.use(
    new Periods(join(flags.storage, "periods.sqlite"), {
      ...{ earned: () => earnings.now(), rao, now: Date.now },
    }),
  );
  repeat(stack, READ_EVERY, async () => {
    const { neurons } = await client.metagraph();
    periods.seen(neurons.flatMap(({ hotkey, coldkey }) => [hotkey, coldkey]));
    periods.close();
    if (periods.waiting().length === 0) return;
    using _lock = await takeFolder(folder, ["payout"]);
    using payouts = new Payouts(join(folder, "payouts.sqlite"));
    periods.credit(payouts);
  });
}

async function batch(publisher: Publisher): Promise<void> {
  const made = await publisher.batch();
  if (made) console.log(`batch ${made.epoch}: ${made.cid}, root ${made.root}`);
}
