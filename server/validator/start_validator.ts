import { join } from "node:path";
import { takeFolder } from "../storage/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import type { Witness } from "../../core/transcript/mod.ts";
import { rewardOf } from "../../core/incentive/mod.ts";
import { type GenerationRequest, workOf } from "../../core/request/mod.ts";
import { SubnetWatch } from "../chain/mod.ts";
import { ThreadCodec } from "../compute/mod.ts";
import { type Log, OnChange, withUids } from "../telemetry/mod.ts";
import { listen, LoopLag, ReplayWindow, RequestGuard } from "../http/mod.ts";
import { ContentCredentials } from "../credentials/mod.ts";
import { type Gateway, openGateway } from "../gateway/mod.ts";
import { type RunningNeuron, VERSION } from "../neuron/mod.ts";
import { Safety } from "../safety/mod.ts";
import { systemClock } from "./clock.ts";
import { DriftWatch } from "./drift_watch.ts";
import { Forwarder } from "./forwarder.ts";
import { DEFAULT_WINDOWS, Ledger } from "./ledger/mod.ts";
import { ValidatorMetrics } from "./metrics.ts";
import { makeBy } from "./make_by_miners.ts";
import { MinerCaller } from "./miner_caller.ts";
import { openScoring, type Scoring } from "./open_scoring.ts";
import { pullResults } from "./other_half.ts";
import { type Peer, peersOf } from "./peers.ts";
import { saysWhereFrom } from "./provenance.ts";
import { repeat } from "./repeat.ts";
import { validatorRoutes } from "./routes.ts";
import { Permit } from "./permit.ts";
import { secureRandom } from "./secure_random.ts";
import { stressLoop } from "./stress_role.ts";
import { RecentShapes } from "./test_draw.ts";
import type { ValidatorOptions } from "./validator_options.ts";
import { imageVerifier } from "./verify_image.ts";
import { WeightsLoop } from "./weights_loop.ts";

/** A validator that runs. */
export interface Validator extends RunningNeuron {
  /** Everything that was measured. */
  readonly ledger: Ledger;
}

/** Milliseconds from maintenance to maintenance, and from one exchange of results to the next. */
const MAINTENANCE_MS = 60_000;
const EXCHANGE_MS = 15_000;

/** The roles that a validator has: two processes may have one each, and share their folder. */
function namesOf(roles: ValidatorOptions["roles"]): string[] {
  return [...roles.forward ? ["forward"] : [], ...roles.stress ? ["stress"] : []];
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
  const ledger = stack.use(new Ledger(join(folder, "ledger.sqlite")));
  const replay = stack.use(new ReplayWindow(join(folder, "requests.sqlite")));
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
  const safety = stack.use(new Safety());
  const gateway = model && served && stack.use(
    await openGateway({
      ...{ folder, log, work, make: makeBy(served), keyFile: options.apiKeys },
      ...{ jobs: options.jobs, webhooks: options.webhooks },
      requestsPerMinute: options.requestsPerMinute,
      screen: ({ limits }) => safety.under(limits.nsfw === true ? "off" : options.nsfw ?? "off"),
      model: { ...model, defaults: scoring.defaults, check: scoring.checkRequest },
      clients: {
        version: VERSION,
        a1111: options.a1111 ? { loras: namedLoras(scoring.loras) } : undefined,
        verify: imageVerifier({ ledger, scorer: scoring.scorer, now: Date.now }),
      },
    }),
  );
  const app = validatorRoutes({
    guard: new RequestGuard(address, replay, Date.now, stack.use(new LoopLag())),
    ...{ metrics, version: VERSION },
    forwarding: served && gateway && {
      ...{ forwarder: served, gateway, scorer: scoring.scorer },
      allowed: (signedBy) => checkAllowed(signedBy, [address, ...options.allowed]),
      ...{ codec, defaults: scoring.defaults, origins: options.origins },
    },
    info: () => ({
      ...{ name: "stepwise-validator", version: VERSION, hotkey: address, roles },
      ...{ netuid: chain.netuid, block: chain.block, compute: scoring.compute },
      miners: peers().map((peer) => minerRow(peer, ledger)),
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
  if (options.otherHalf !== undefined) {
    stack.use(exchangeResults(options.otherHalf, ledger, options));
  }
  const server = await listen(options, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  // Before the server, which waits for its answers.
  stack.defer(() => gateway?.stop());
  if (roles.stress) {
    stack.use(new WeightsLoop({ chain, wallet, ledger, epochLength: options.epochLength, log }));
    const permit = new Permit(address, log);
    const testable = () => permit.testable(subnet.metagraph, peers());
    stack.use(await stressLoop(options, { ledger, caller, recent, peers: testable, ...scoring }));
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
    await forwarder?.resume();
    ledger.sweep();
    await gateway?.sweep();
  }, (error) => log("failed", { error: String(error) }, "error"));
}

/** Takes over what the other half measures. */
function exchangeResults(
  url: string,
  ledger: Ledger,
  { wallet, log }: ValidatorOptions,
): AsyncDisposable {
  const other = { url, signedFor: wallet.hotkey.address };
  const state = new OnChange(log);
  let since = Date.now() - DEFAULT_WINDOWS.userCheat;
  return repeat(EXCHANGE_MS, async () => {
    since = await pullResults(other, ledger, wallet.hotkey, since);
    state.clear();
  }, (error) => state.say("results not taken over", { error: reason(error) }, "warn"));
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
