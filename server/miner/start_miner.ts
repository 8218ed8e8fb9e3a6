import { cryptoWaitReady } from "@polkadot/util-crypto";
import { join } from "node:path";
import { decodeRequest, type ImageEngine } from "../../core/generation/mod.ts";
import { catalogueEntryOf, type ModelFiles } from "../../core/inference/mod.ts";
import { SubnetWatch, type SubtensorClient, type Wallet } from "../chain/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { modelFacts } from "../evidence/mod.ts";
import { listen, ReplayWindow, RequestGuard } from "../http/mod.ts";
import { DiskTranscriptStore, knownModels, openModel } from "../storage/mod.ts";
import { type AccessRules, checkAccess } from "./access_rules.ts";
import { Generator } from "./generator.ts";
import { JobQueue } from "./job_queue.ts";
import { OpeningTokens } from "./opening_token.ts";
import { minerRoutes } from "./routes.ts";

export interface MinerOptions {
  readonly wallet: Wallet;
  /** The subnet; without one only the whitelist may ask. */
  readonly chain?: SubtensorClient;
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** As the chain is to tell others; without it the axon is not served. */
  readonly external?: { readonly ip: string; readonly port?: number };
  readonly model: string;
  readonly variant?: string;
  readonly compute: string;
  /** Requests that may wait. */
  readonly queue: number;
  /** Of transcripts, used uuids and the tokens' secret. */
  readonly folder: string;
  readonly maxTranscriptBytes: number;
  readonly access: AccessRules;
  readonly log: (event: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Another engine in the place of the model's own: how tests and demonstrations cheat. */
  readonly wrap?: (engine: ImageEngine, files: ModelFiles) => ImageEngine | Promise<ImageEngine>;
}

/** A miner that takes requests. */
export interface Miner extends AsyncDisposable {
  /** http://... */
  readonly url: string;
  readonly hotkey: string;
}

const TRANSCRIPT_SECONDS = 15 * 60;
const VERSION = "0.1.0";
const WARM_UP = { prompt: "", width: 64, height: 64, steps: 1, guidanceScale: 1, seed: 0 };

/**
 * Starts a miner: chain, model, warm-up, and then the door.
 * @throws AppError that says in one line what is missing and what to do.
 */
export async function startMiner(options: MinerOptions): Promise<Miner> {
  await cryptoWaitReady();
  await using stack = new AsyncDisposableStack();
  const { wallet, log, folder } = options;
  const subnet = options.chain && stack.use(await SubnetWatch.open(options.chain, log));
  subnet?.requireRegistered(wallet.hotkey.address);
  await Deno.mkdir(folder, { recursive: true });
  const tokens = await OpeningTokens.open(folder);
  const store = stack.use(
    await DiskTranscriptStore.open(join(folder, "transcripts"), {
      maxBytes: options.maxTranscriptBytes,
      maxAgeMs: 1000 * TRANSCRIPT_SECONDS,
      clock: Date.now,
      onEvict: (eviction) => log("evicted", { ...eviction }),
    }),
  );
  const replay = stack.use(new ReplayWindow(join(folder, "requests.sqlite")));
  const { engine, ...model } = await openEngine(options, stack);
  const generator = new Generator({ engine, ...model, hotkey: wallet.hotkey, store, tokens });
  await warmUp(engine);
  const queue = new JobQueue(options.queue);
  const app = minerRoutes({
    guard: new RequestGuard(wallet.hotkey.address, replay),
    queue,
    generator,
    tokens,
    allowed: (signedBy) => checkAccess(signedBy, options.access, subnet?.metagraph),
    info: () => ({
      name: "stepwise-miner",
      version: VERSION,
      hotkey: wallet.hotkey.address,
      compute: engine.compute,
      models: [{ ...model.facts, defaults: model.defaults }],
      capacity: { queueLimit: queue.limit, queued: queue.queued, running: queue.running },
      transcriptSeconds: TRANSCRIPT_SECONDS,
    }),
    log,
  });
  const server = listen(options, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  stack.defer(() => queue.close());
  await serveAxon(options, server.addr.port, log);
  const owned = stack.move();
  return {
    url: `http://${options.hostname}:${server.addr.port}`,
    hotkey: wallet.hotkey.address,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openEngine(options: MinerOptions, stack: AsyncDisposableStack) {
  const { model, variant, compute, wrap, log } = options;
  const files = await openModel(model, { variant });
  const host = stack.use(await openCompute(parseComputeKind(compute)));
  const own = stack.use(await host.open(files));
  log("model", { model: own.model, compute: own.compute, reason: host.reason });
  const known = catalogueEntryOf(model, knownModels());
  const facts = await modelFacts(files, known);
  const defaults = { ...own.defaults, ...known?.defaults };
  return { engine: wrap ? await wrap(own, files) : own, facts, files, defaults };
}

/** Shaders are compiled and arenas grown before anybody waits for them. */
async function warmUp(engine: ImageEngine): Promise<void> {
  await engine.generate(decodeRequest(WARM_UP, { ...engine.defaults, seed: 0n }));
}

async function serveAxon(
  { chain, wallet, external }: MinerOptions,
  port: number,
  log: MinerOptions["log"],
): Promise<void> {
  if (!chain || !external) return;
  const axon = { ip: external.ip, port: external.port ?? port };
  const { neurons } = await chain.metagraph();
  const own = neurons.find(({ hotkey }) => hotkey === wallet.hotkey.address)?.axon;
  if (own?.ip === axon.ip && own.port === axon.port) return;
  const { block } = await chain.serveAxon(axon, wallet.pair);
  log("axon served", { ...axon, block });
}
