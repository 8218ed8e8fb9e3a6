import type { ImageCodec } from "../../core/image/mod.ts";
import { join } from "node:path";
import { takeFolder } from "../storage/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import {
  checkWork,
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  randomSeed,
  type RequestDefaults,
} from "../../core/request/mod.ts";
import { rewardOf } from "../../core/incentive/mod.ts";
import { openVerifier } from "../../core/verifier/mod.ts";
import { SubnetWatch, type SubtensorClient } from "../chain/mod.ts";
import { ThreadCodec } from "../compute/mod.ts";
import { type Log, OnChange, withUids } from "../telemetry/mod.ts";
import { listen, LoopLag, ReplayWindow, RequestGuard } from "../http/mod.ts";
import { type NeuronOptions, openEngine, type RunningNeuron, VERSION } from "../neuron/mod.ts";
import { knownEntry } from "../models/mod.ts";
import { ApiKeys } from "./api_keys.ts";
import { Forwarder, type ForwardOptions } from "./forwarder.ts";
import { DEFAULT_WINDOWS, Ledger } from "./ledger/mod.ts";
import { ValidatorMetrics } from "./metrics.ts";
import { MinerCaller } from "./miner_caller.ts";
import { pullResults, type Validated } from "./other_half.ts";
import { type Peer, peersOf } from "./peers.ts";
import { openPrompts, type PromptSource } from "./prompts.ts";
import { repeat } from "./repeat.ts";
import { validatorRoutes } from "./routes.ts";
import { localScorer, remoteScorer, type Scorer } from "./scorer.ts";
import { Permit } from "./permit.ts";
import { StressLoop } from "./stress_loop.ts";
import { probe, type StressOptions, type StressResult, stressTest } from "./stress_ramp.ts";
import { WeightsLoop } from "./weights_loop.ts";

export interface ValidatorOptions extends NeuronOptions {
  readonly chain: SubtensorClient;
  /** Serves users and scores, tests miners and sets weights, or both. */
  readonly roles: { readonly forward: boolean; readonly stress: boolean };
  /** Blocks from weights to weights. */
  readonly epochLength: number;
  /** Blocks until the metagraph is read again. */
  readonly refreshBlocks?: number;
  readonly forward: ForwardOptions;
  readonly stress: StressOptions;
  /** Milliseconds that a miner has for all that one check fetches of it. */
  readonly fetchMs?: number;
  /** Miners tested at the same time, and milliseconds until one is tested again. */
  readonly concurrency: number;
  readonly restMs: number;
  /** A file or an address of prompts. */
  readonly prompts?: string;
  /** What synthetic requests ask for, where it is not the model's own. */
  readonly synthetic: { readonly size?: number; readonly steps?: number };
  /** The scoring API of another validator; needed without the forwarding role. */
  readonly scoring?: Validated;
  /** The address of this validator's other half on another machine, whose results count too. */
  readonly otherHalf?: string;
  /** Whether axons count at addresses that the open internet does not route to. */
  readonly privateAxons: boolean;
  /** API keys' file. */
  readonly apiKeys?: string;
  /** SS58 of callers that may ask, besides the validator itself. */
  readonly allowed: readonly string[];
  /** Origins whose pages may ask for images; `*` for any. */
  readonly origins: readonly string[];
  /** User requests a minute, of each caller. */
  readonly requestsPerMinute: number;
}

/** A validator that runs. */
export interface Validator extends RunningNeuron {
  /** Everything that was measured. */
  readonly ledger: Ledger;
}

/** Public receipts that are kept. */
const SHOWN = 200;
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
  const caller = new MinerCaller(wallet.hotkey);
  const peers = () => peersOf(subnet.metagraph, address, options.privateAxons);
  const metrics = new ValidatorMetrics({
    miners: () => peers().length,
    block: () => ledger.weights.last()?.block,
  });
  const model = await openScoring(options, { metrics, codec }, stack);
  const forwarder = model.manifest === undefined ? undefined : new Forwarder({
    ...{ caller, ledger, log, scorer: model.scorer, manifest: model.manifest },
    ...{ random: secureRandom, clock: Date.now },
    ranked: () => ranked(peers(), ledger),
    options: options.forward,
  });
  const app = validatorRoutes({
    guard: new RequestGuard(address, replay, Date.now, stack.use(new LoopLag())),
    ...{ metrics, version: VERSION },
    forwarding: forwarder && {
      forwarder,
      scorer: model.scorer,
      keys: ApiKeys.open(options.apiKeys, log),
      allowed: (signedBy) => checkAllowed(signedBy, [address, ...options.allowed]),
      ...{ codec, defaults: model.defaults, checkRequest: model.checkRequest },
      ...{ requestsPerMinute: options.requestsPerMinute, origins: options.origins },
    },
    info: () => ({
      ...{ name: "stepwise-validator", version: VERSION, hotkey: address, roles },
      ...{ netuid: chain.netuid, block: chain.block, compute: model.compute },
      miners: peers().map((peer) => minerRow(peer, ledger)),
      weights: ledger.weights.last(),
    }),
    ledger,
    registered: (own) =>
      subnet.metagraph.neurons.some(({ hotkey, coldkey }) => own === hotkey || own === coldkey),
    problems: () => stopping ? ["It is stopping."] : subnet.problems(address),
    log,
  });
  stack.defer(() => forwarder?.idle());
  stack.use(maintain(forwarder, ledger, log));
  if (options.otherHalf !== undefined) {
    stack.use(exchangeResults(options.otherHalf, ledger, options));
  }
  const server = await listen(options, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  if (roles.stress) {
    stack.use(new WeightsLoop({ chain, wallet, ledger, epochLength: options.epochLength, log }));
    const permit = new Permit(address, log);
    const testable = () => permit.testable(subnet.metagraph, peers());
    const prompts = await promptsOf(options);
    stack.use(stressLoop(options, { ledger, caller, peers: testable, ...model, prompts }));
  }
  const owned = stack.move();
  return {
    url: `http://${options.hostname}:${server.addr.port}`,
    hotkey: address,
    ledger,
    pending: () => ({ requestsAndChecks: forwarder?.running ?? 0 }),
    [Symbol.asyncDispose]: () => {
      stopping = true;
      return owned.disposeAsync();
    },
  };
}

/** Makes the checks that are left over, and deletes what no longer counts. */
function maintain(forwarder: Forwarder | undefined, ledger: Ledger, log: Log): AsyncDisposable {
  return repeat(MAINTENANCE_MS, async () => {
    await forwarder?.resume();
    ledger.sweep();
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

interface Scoring {
  readonly scorer: Scorer;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
  /** With a model of its own alone. */
  readonly manifest?: string;
  readonly compute?: string;
}

/** A model on this machine, or the scoring API of another. */
async function openScoring(
  options: ValidatorOptions,
  { metrics, codec }: { readonly metrics: ValidatorMetrics; readonly codec: ImageCodec },
  stack: AsyncDisposableStack,
): Promise<Scoring> {
  const { scoring, wallet, roles } = options;
  if (!roles.forward) {
    const entry = knownEntry(options.model);
    if (!scoring || !entry) {
      throw new AppError(
        "invalid_request",
        "Cannot validate: without the forward role --scoring.url and --scoring.hotkey name who " +
          "checks, and --model is one of the catalogue",
      );
    }
    const scorer = counted(remoteScorer(scoring, wallet.hotkey), metrics);
    return { scorer, defaults: entry.defaults, checkRequest: () => {} };
  }
  const { engine, model, facts, defaults, checkRequest } = await openEngine(options, stack);
  const verifier = await openVerifier(model);
  return {
    scorer: counted(localScorer(verifier, engine, { fetchMs: options.fetchMs, codec }), metrics),
    defaults,
    checkRequest: (request) => {
      checkWork(request, defaults, options.forward.maxWork);
      checkRequest(request);
    },
    manifest: facts.manifest,
    compute: engine.compute,
  };
}

function counted(scorer: Scorer, metrics: ValidatorMetrics): Scorer {
  return async (answer, image) => {
    const score = await scorer(answer, image);
    metrics.scored(score.verdict);
    return score;
  };
}

function promptsOf({ prompts, log }: ValidatorOptions): Promise<PromptSource> {
  return openPrompts(
    prompts,
    secureRandom,
    (error) => log("prompt bank", { error: String(error) }, "warn"),
  );
}

interface StressNeeds extends Scoring {
  readonly ledger: Ledger;
  readonly caller: MinerCaller;
  readonly peers: () => readonly Peer[];
  readonly prompts: PromptSource;
}

function stressLoop(options: ValidatorOptions, needs: StressNeeds): StressLoop {
  const { ledger, caller, peers, prompts, scorer, defaults, manifest } = needs;
  const { size, steps } = options.synthetic;
  const shape = {
    ...defaults,
    ...(size === undefined ? {} : { width: size, height: size }),
    ...(steps === undefined ? {} : { steps }),
  };
  const ask = async () => {
    const request = decodeRequest({ prompt: await prompts() }, { ...shape, seed: randomSeed() });
    return { request: encodeRequest(request), format: "png" as const, manifest };
  };
  const parts = {
    ...{ caller, scorer, ask, random: secureRandom, options: options.stress },
    clock: () => performance.now(),
  };
  return new StressLoop({
    ...{ ledger, peers, random: secureRandom, clock: Date.now, log: options.log },
    concurrency: options.concurrency,
    restMs: options.restMs,
    probe: (peer, signal) => probe(peer, parts, signal),
    test: (peer, signal) => stressTest(peer, parts, signal),
    publish: (peer, { shown }: StressResult) => {
      if (!shown) return;
      const { id, receipt, token } = shown;
      ledger.receipts.add(id, { id, receipt, token, miner: peer.url }, SHOWN);
    },
  });
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

/** Miners must not foresee what is drawn. */
function secureRandom(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}
