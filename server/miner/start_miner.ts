import { takeFolder } from "../storage/mod.ts";
import { join } from "node:path";
import { checkWork } from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { ThreadCodec } from "../compute/mod.ts";
import { SubnetWatch, type SubtensorClient } from "../chain/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { listen, LoopLag, ReplayWindow, RequestGuard } from "../http/mod.ts";
import { type NeuronOptions, type RunningNeuron, VERSION } from "../neuron/mod.ts";
import { type NsfwPolicy, Safety } from "../safety/mod.ts";
import { withUids } from "../telemetry/mod.ts";
import { SITE_FOLDER } from "../web/mod.ts";
import { type AccessRules, checkAccess, comesLast, EVERY_NEURON } from "./access_rules.ts";
import { AxonKeeper } from "./axon_keeper.ts";
import { ClusterReplay } from "./cluster_replay.ts";
import { ClusterSource } from "./cluster_source.ts";
import { MinerMetrics } from "./metrics.ts";
import { PublicReceipts } from "./public_receipts.ts";
import type { ImageSource } from "./image_source.ts";
import { openGenerator, openTranscripts } from "./open_generator.ts";
import { RemoteGenerator } from "./remote_generator.ts";
import { minerRoutes } from "./routes.ts";
import { Whitelist } from "./whitelist.ts";

export interface MinerOptions extends NeuronOptions {
  /** The subnet; without one only the whitelist may ask. */
  readonly chain?: SubtensorClient;
  /** The address to serve on the chain; without it the axon is not served. */
  readonly external?: { readonly ip: string; readonly port?: number };
  /** Addresses of image generators that compute instead of this process. */
  readonly generators?: readonly string[];
  /** Whose workers compute instead of this process; its caller closes it. */
  readonly cluster?: Cluster;
  /** Milliseconds from asking them whether they are there to asking again; default: 5 s. */
  readonly watchMs?: number;
  /** Requests that may wait. */
  readonly queue: number;
  /** Images of one run, of all requests that can run together. */
  readonly batch: number;
  /** That one request may ask for, in images of the model's default. */
  readonly maxWork?: number;
  readonly maxTranscriptBytes: number;
  /** Default: every neuron of the subnet may ask. */
  readonly access?: AccessRules;
  /** Hotkeys that may always ask: named, and of a JSON list at an address. */
  readonly whitelist: { readonly hotkeys: readonly string[]; readonly endpoint?: string };
  /** On prompts and images that are not for everybody; default: off. */
  readonly nsfw?: NsfwPolicy;
  /** Whether everybody may see the receipts and images of all callers. Default: no. */
  readonly publicReceipts?: boolean;
  /** Milliseconds since 1970, by which requests are too old; default: this machine's. */
  readonly clock?: () => number;
  /** The pages' folder; default: where `deno task build` puts them. */
  readonly site?: string;
  /** Another engine in the place of the model's own: how tests and demonstrations cheat. */
  readonly wrap?: (engine: ImageEngine, files: ModelFiles) => ImageEngine | Promise<ImageEngine>;
}

export type Miner = RunningNeuron;

/** As much as validators let their users ask for. */
export const DEFAULT_MAX_WORK = 32;

/**
 * Starts a miner: chain, model, warm-up, and then the server.
 * @throws AppError that says in one line what is missing and what to do.
 */
export async function startMiner(options: MinerOptions): Promise<Miner> {
  await using stack = new AsyncDisposableStack();
  const { wallet, folder, access = EVERY_NEURON, maxWork = DEFAULT_MAX_WORK } = options;
  const { address } = wallet.hotkey;
  const subnet = options.chain && stack.use(await SubnetWatch.open(options.chain, options.log));
  const log = withUids(options.log, (hotkey) => subnet?.uidOf(hotkey));
  subnet?.requireRegistered(address);
  const { hotkeys, endpoint } = options.whitelist;
  const whitelist = stack.use(await Whitelist.open(hotkeys, endpoint, log));
  stack.use(await takeFolder(folder, ["miner"]));
  const replay = options.cluster
    ? await ClusterReplay.open(options.cluster)
    : stack.use(new ReplayWindow(join(folder, "requests.sqlite")));
  const codec = stack.use(new ThreadCodec());
  const source = await openSource({ ...options, log }, codec, stack);
  const safety = stack.use(new Safety());
  const metrics = new MinerMetrics(source);
  let stopping = false;
  const app = minerRoutes({
    ...{ source, metrics, codec, log, self: address, site: options.site ?? SITE_FOLDER },
    checkRequest: (request) => checkWork(request, source.models[0].defaults, maxWork),
    screen: safety.under(options.nsfw ?? "off"),
    guard: new RequestGuard(address, replay, options.clock, stack.use(new LoopLag())),
    allowed: (signedBy) =>
      signedBy === address ||
      checkAccess(signedBy, access, subnet, whitelist),
    comesLast: (signedBy) =>
      !!subnet && signedBy !== address && comesLast(signedBy, subnet.metagraph, whitelist),
    info: () => ({
      ...{ name: "stepwise-miner", version: VERSION, hotkey: address },
      ...{ compute: source.compute, models: source.models, capacity: source.capacity() },
      transcriptSeconds: TRANSCRIPT_SECONDS,
    }),
    problems: () =>
      stopping
        ? ["It is stopping."]
        : [...subnet?.problems(address) ?? [], source.problem?.() ?? []].flat(),
    shown: options.publicReceipts ? new PublicReceipts(1000 * TRANSCRIPT_SECONDS) : undefined,
  });
  const server = await listen(options, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  stack.defer(() => source.close());
  await serveAxon(options, subnet, server.addr.port, stack);
  const owned = stack.move();
  return {
    url: `http://${options.hostname}:${server.addr.port}`,
    hotkey: address,
    pending: () => {
      const { running, queued } = source.capacity();
      return { running, queued };
    },
    [Symbol.asyncDispose]: () => {
      stopping = true;
      return owned.disposeAsync();
    },
  };
}

/** A cluster's workers, other servers, or this process. */
async function openSource(
  options: MinerOptions,
  codec: ImageCodec,
  stack: AsyncDisposableStack,
): Promise<ImageSource> {
  const { cluster, generators, model, log, watchMs, wallet: { hotkey } } = options;
  if (cluster) return await ClusterSource.connect(cluster, hotkey, { log, model });
  if (generators?.length) {
    return await RemoteGenerator.connect(generators, hotkey, { log, watchMs });
  }
  const { tokens, store } = await openTranscripts(options, stack);
  return await openGenerator({ ...options, tokens, store }, codec, stack);
}

async function serveAxon(
  { chain, wallet, external, log }: MinerOptions,
  subnet: SubnetWatch | undefined,
  port: number,
  stack: AsyncDisposableStack,
): Promise<void> {
  if (!chain || !subnet) return;
  if (!external) {
    const why = "validators will not find this miner; --axon.external_ip says where it is reached";
    return log("axon not served", { why }, "warn");
  }
  const axon = { ip: external.ip, port: external.port ?? port };
  stack.use(await AxonKeeper.start({ chain, subnet, wallet, axon, log }));
}
