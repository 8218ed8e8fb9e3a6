import { join } from "node:path";
import { takeFolder } from "../storage/mod.ts";
import { AppError } from "../../core/error.ts";
import type { Witness } from "../../core/transcript/mod.ts";
import { rewardOf } from "../../core/incentive/mod.ts";
import { type GenerationRequest, workOf } from "../../core/request/mod.ts";
import { SubnetWatch } from "../chain/mod.ts";
import { ThreadCodec } from "../compute/mod.ts";
import { type Log, withUids } from "../telemetry/mod.ts";
import { listen, LoopLag, ReplayWindow, RequestGuard } from "../http/mod.ts";
import { ContentCredentials } from "../credentials/mod.ts";
import { CallPictures, type Gateway, openGateway } from "../gateway/mod.ts";
import { type RunningNeuron, VERSION } from "../neuron/mod.ts";
import { Safety } from "../safety/mod.ts";
import { systemClock } from "./clock.ts";
import { ClusterReplay } from "../miner/mod.ts";
import { Leader, LEADER_SECONDS } from "./leader.ts";
import { DriftWatch } from "./drift_watch.ts";
import { Forwarder } from "./forwarder.ts";
import { Ledger } from "./ledger/mod.ts";
import { ValidatorMetrics } from "./metrics.ts";
import { lineageOf } from "./lineage.ts";
import { makeBy } from "./make_by_miners.ts";
import { MinerCaller } from "./miner_caller.ts";
import { openScoring, type Scoring } from "./open_scoring.ts";
import { type Peer, peersOf } from "./peers.ts";
import { saysWhereFrom } from "./provenance.ts";
import { repeat } from "./repeat.ts";
import { validatorRoutes } from "./routes.ts";
import { Permit } from "./permit.ts";
import { secureRandom } from "./secure_random.ts";
import { SharedResults } from "./shared_results.ts";
import { stressLoop, type StressNeeds } from "./stress_role.ts";
import { RecentShapes } from "./test_draw.ts";
import type { ValidatorOptions } from "./validator_options.ts";
import { imageVerifier } from "./verify_image.ts";
import { WeightsLoop } from "./weights_loop.ts";
import { takeTurn, TURN_SECONDS, type WeightsTurn } from "./weights_turn.ts";

/** A validator that runs. */
export interface Validator extends RunningNeuron {
  /** Everything that was measured. */
  readonly ledger: Ledger;
}

/** Milliseconds from maintenance to maintenance. */
const MAINTENANCE_MS = 60_000;

/** The roles that a validator has: two processes may have one each, and share their folder. */
function namesOf(roles: ValidatorOptions["roles"]): string[] {
  return (["forward", "stress"] as const).filter((role) => roles[role]);
}

/**
 * Starts a validator: chain, state, model, and then the server and the loops.
 * @throws AppError that says in one line what is missing and what to do.
 */
export async function startValidator(options: ValidatorOptions): Promise<Validator> {
  await using stack = new AsyncDisposableStack();
  const { wallet, chain, folder, roles } = options;
  const { address } = wallet.hotkey;
  const subnet = stack.use(await SubnetWatch.open(chain, options.log, options.refreshBlocks));
  const log = withUids(options.log, (hotkey) => subnet.uidOf(hotkey));
  let stopping = false;
  subnet.requireRegistered(address);
  stack.use(await takeFolder(folder, namesOf(roles)));
  const { cluster } = options;
  const ledger = stack.use(
    new Ledger(join(folder, "ledger.sqlite"), Date.now, { shared: cluster !== undefined }),
  );
  const shared = cluster &&
    stack.use(await SharedResults.open({ cluster, ledger, of: address, log }));
  const replay = cluster
    ? await ClusterReplay.open(cluster)
    : stack.use(new ReplayWindow(join(folder, "requests.sqlite")));
  const codec = stack.use(new ThreadCodec());
  const caller = new MinerCaller(wallet.hotkey, Date.now, () => newestBlock(chain));
  const peers = () => peersOf(subnet.metagraph, address, options.privateAxons);
  const metrics = new ValidatorMetrics({
    miners: () => peers().length,
    drifting: () => peers().filter(({ hotkey }) => ledger.metrics(hotkey).drifting).length,
    block: () => ledger.weights.last()?.block,
  });
  const scoring = await openScoring(options, { metrics, codec }, stack);
  const recent = new RecentShapes();
  const { model } = scoring;
  const work = (request: GenerationRequest) => workOf(request, scoring.defaults);
  const forwarder = model && new Forwarder({
    ...{ caller, ledger, log, scorer: scoring.scorer, manifest: model.manifest, work },
    asked: (request, format) => recent.add(request, format),
    ...{ random: secureRandom, clock: systemClock },
    ranked: () => {
      const found = peers();
      // The first miner of a subnet is not kept waiting for the next reading.
      if (found.length === 0) subnet.readAgain();
      return ranked(found, ledger);
    },
    options: options.forward,
  });
  const served = forwarder && options.metadata !== false
    ? saysWhereFrom(forwarder, {
      ...{ ledger, codec, url: options.publicUrl },
      credentials: options.credentials &&
        stack.use(new ContentCredentials(options.credentials, VERSION)),
    })
    : forwarder;
  const lineage = (request: GenerationRequest) => lineageOf(request, ledger);
  const safety = stack.use(new Safety());
  const pictures = stack.use(new CallPictures());
  const make = served && makeBy({ forwarder: served, pictures, lineageOf: lineage });
  const gateway = model && make && stack.use(
    await openGateway({
      ...{ folder, log, work, make, pictures, keyFile: options.apiKeys },
      ...{ jobs: options.jobs, webhooks: options.webhooks },
      requestsPerMinute: options.requestsPerMinute,
      screen: ({ limits }) => safety.under(limits.nsfw ?? options.nsfw ?? "off"),
      model: {
        ...{ ...model, defaults: scoring.defaults },
        check: (request) => {
          scoring.checkRequest(request);
          lineage(request);
        },
      },
      clients: {
        version: VERSION,
        a1111: options.a1111 ? { loras: namedLoras(scoring.loras) } : undefined,
        verify: imageVerifier({ ledger, scorer: scoring.scorer, codec, now: Date.now }),
      },
    }),
  );
  const app = validatorRoutes({
    guard: new RequestGuard(address, replay, Date.now, stack.use(new LoopLag())),
    ...{ metrics, version: VERSION },
    forwarding: served && gateway && {
      ...{ forwarder: served, gateway, scorer: scoring.scorer },
      allowed: (signedBy) => checkAllowed(signedBy, [address, ...options.allowed]),
      ...{ codec, lineageOf: lineage, defaults: scoring.defaults, origins: options.origins },
    },
    info: () => ({
      ...{ name: "stepwise-validator", version: VERSION, hotkey: address, roles },
      ...{ netuid: chain.netuid, block: chain.block, compute: scoring.compute },
      miners: peers().map((peer) => ({
        ...minerRow(peer, ledger),
        incentive: subnet.metagraph.neurons.find(({ uid }) => uid === peer.uid)?.incentive,
      })),
      weights: ledger.weights.last(),
    }),
    ledger,
    registered: (own) =>
      subnet.metagraph.neurons.some(({ hotkey, coldkey }) => own === hotkey || own === coldkey),
    problems: () =>
      stopping
        ? ["It is stopping."]
        : [...subnet.problems(address), scoring.problem?.() ?? []].flat(),
    log,
  });
  stack.defer(() => forwarder?.idle());
  const drifts = new DriftWatch(ledger, log);
  stack.use(maintain({ forwarder, gateway, ledger }, () => drifts.look(peers()), log));
  const server = await listen(options, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  // Before the server, which waits for its answers.
  stack.defer(() => gateway?.stop());
  if (roles.stress) {
    const permit = new Permit(address, log);
    const testable = () => permit.testable(subnet.metagraph, peers());
    const needs = { ledger, caller, recent, peers: testable, ...scoring };
    stack.use(await measuring(options, needs, shared));
  }
  const owned = stack.move();
  return {
    url: `http://${options.hostname}:${server.addr.port}`,
    hotkey: address,
    ledger,
    pending: () => ({
      requestsAndChecks: forwarder?.running ?? 0,
      jobImages: gateway?.parts.jobs.counts.running ?? 0,
    }),
    [Symbol.asyncDispose]: () => {
      stopping = true;
      return owned.disposeAsync();
    },
  };
}

/** Tests miners and sets weights; of several processes one does. */
async function measuring(
  options: ValidatorOptions,
  needs: StressNeeds,
  shared: SharedResults | undefined,
): Promise<AsyncDisposable> {
  const { cluster, log, wallet: { hotkey: { address: of } } } = options;
  if (!cluster || !shared) return await testAndWeigh(options, needs);
  const turns = await cluster.once("turns", TURN_SECONDS);
  const current = () => shared.current();
  return new Leader({
    ...{ once: await cluster.once("leaders", LEADER_SECONDS), key: `stress_${of}`, log },
    lead: async () => {
      await current();
      return await testAndWeigh(options, needs, () => takeTurn({ once: turns, of, current }));
    },
  });
}

async function testAndWeigh(
  options: ValidatorOptions,
  needs: StressNeeds,
  turn?: () => Promise<WeightsTurn | undefined>,
): Promise<AsyncDisposable> {
  const { chain, wallet, content, epochLength, log } = options;
  const { ledger } = needs;
  await using stack = new AsyncDisposableStack();
  stack.use(new WeightsLoop({ chain, wallet, ledger, content, epochLength, turn, log }));
  stack.use(await stressLoop(options, needs));
  return stack.move();
}

/** LoRAs that a prompt can name. */
function namedLoras(loras: Scoring["loras"] = []): { name: string; sha256: string }[] {
  return loras.flatMap(({ name, sha256 }) => name === undefined ? [] : { name, sha256 });
}

/** @returns undefined where its hash cannot be read: a receipt is taken without a witness then. */
async function newestBlock(
  chain: Pick<ValidatorOptions["chain"], "block" | "blockHash">,
): Promise<Witness["block"] | undefined> {
  const number = chain.block;
  const hash = await chain.blockHash(number).catch(() => undefined);
  return hash === undefined ? undefined : { number, hash: hash.replace(/^0x/, "") };
}

/** Makes the checks that are left over, and deletes what no longer counts. */
function maintain(
  { forwarder, gateway, ledger }: {
    readonly forwarder: Forwarder | undefined;
    readonly gateway: Gateway | undefined;
    readonly ledger: Ledger;
  },
  look: () => void,
  log: Log,
): AsyncDisposable {
  return repeat(MAINTENANCE_MS, async () => {
    look();
    ledger.sweep();
    await gateway?.sweep();
    // Last: checks may wait for scorers that are away.
    await forwarder?.resume();
  }, (error) => log("failed", { error: String(error) }, "error"));
}

function ranked(peers: readonly Peer[], ledger: Ledger) {
  return peers.map((peer) => {
    const metrics = ledger.metrics(peer.hotkey);
    return { peer, reward: rewardOf(metrics), cheated: metrics.cheated };
  });
}

function minerRow(peer: Peer, ledger: Ledger) {
  const metrics = ledger.metrics(peer.hotkey);
  return { ...peer, ...metrics, reward: rewardOf(metrics) };
}

function checkAllowed(signedBy: string, allowed: readonly string[]): void {
  if (allowed.includes(signedBy)) return;
  throw new AppError(
    "not_allowed",
    `Cannot take the request: the hotkey ${signedBy} is not among --allow.hotkeys`,
  );
}
