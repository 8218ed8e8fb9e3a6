import { reason } from "../../core/error.ts";
import { emitWeights, processWeights, rewardOf, type Weights } from "../../core/incentive/mod.ts";
import type { Metagraph, Reveal, SubtensorClient, Wallet } from "../chain/mod.ts";
import { type Log, OnChange } from "../telemetry/mod.ts";
import { VERSION, versionKey } from "../neuron/mod.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { WeightsTurn } from "./weights_turn.ts";

interface WeightsLoopParts {
  readonly chain: Pick<
    SubtensorClient,
    "block" | "onBlock" | "metagraph" | "setWeights" | "weightsRevealed"
  >;
  readonly wallet: Wallet;
  readonly ledger: Ledger;
  /** Blocks from weights to weights. */
  readonly epochLength: number;
  /** Where several processes could set them; undefined for another's turn. */
  readonly turn?: () => Promise<WeightsTurn | undefined>;
  readonly log: Log;
}

/** Blocks until another try, after one that failed. */
const RETRY_BLOCKS = 5;

/** The version key of this validator's weights. */
export const WEIGHTS_VERSION = versionKey(VERSION);

/** Sets weights every so many blocks. */
export class WeightsLoop implements AsyncDisposable {
  readonly #parts: WeightsLoopParts;
  readonly #end: () => void;
  readonly #state: OnChange;
  #next: number;
  #running: Promise<void> | undefined;

  constructor(parts: WeightsLoopParts) {
    this.#parts = parts;
    this.#state = new OnChange(parts.log);
    const { chain, ledger, epochLength } = parts;
    // The first ones after as much time as all others: until then little is known.
    this.#next = (ledger.weights.last()?.block ?? chain.block) + epochLength;
    this.#end = chain.onBlock((block) => {
      // A chain restarted from genesis has lower blocks: those of the old one never come.
      this.#next = Math.min(this.#next, block + epochLength);
      if (block < this.#next || this.#running) return;
      this.#running = this.#set(block).finally(() => this.#running = undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#running;
  }

  async #set(block: number): Promise<void> {
    this.#next = block + RETRY_BLOCKS;
    try {
      if (!this.#parts.turn) return await this.#setOnce(await this.#parts.chain.metagraph());
      await using turn = await this.#parts.turn();
      if (!turn) return;
      const metagraph = await this.#parts.chain.metagraph();
      if (this.#isSet(metagraph, block)) return;
      if (turn.held()) await this.#setOnce(metagraph);
    } catch (error) {
      this.#state.say("weights not set", { error: reason(error) }, "warn");
    }
  }

  /** Whether another process has set them since they were due; the chain knows it where nobody says so. */
  #isSet({ neurons }: Metagraph, block: number): boolean {
    const { ledger, wallet, epochLength } = this.#parts;
    const own = neurons.find(({ hotkey }) => hotkey === wallet.hotkey.address);
    const known = [ledger.weights.last()?.block ?? 0, own?.lastUpdate ?? 0];
    // Of a chain that was restarted, the old one's are ahead.
    const last = Math.max(0, ...known.filter((each) => each <= block));
    if (block >= last + epochLength) return false;
    this.#next = last + epochLength;
    return true;
  }

  /** @throws AppError as the chain refuses them. */
  async #setOnce(metagraph: Metagraph): Promise<void> {
    const { chain, wallet, ledger, epochLength, log } = this.#parts;
    const weights = weightsOf(metagraph, ledger);
    if (!weights) return this.#state.say("no weights", { why: whyNone(metagraph, ledger) });
    const versioned = { ...weights, versionKey: WEIGHTS_VERSION };
    const outcome = await chain.setWeights(versioned, wallet.pair);
    // The chain's rate limit counts from the block that took them.
    this.#next = outcome.block + epochLength;
    ledger.weights.add({ block: outcome.block, ...weights });
    this.#state.clear();
    log("weights set", { ...weights, way: outcome.way, block: outcome.block });
    if (outcome.reveal) this.#watch(outcome.reveal);
  }

  /** The chain emits nothing when it does not reveal what was committed, as without a permit. */
  #watch(reveal: Reveal): void {
    const { chain, wallet, log } = this.#parts;
    chain.weightsRevealed(reveal, wallet.pair.address).then(
      (block) =>
        block === undefined
          ? log("weights not revealed", { until: reveal.until }, "warn")
          : log("weights revealed", { block }),
      (error) => log("weights not watched", { error: reason(error) }, "warn"),
    );
  }
}

/** Why no miner has a reward at this moment. */
function whyNone(
  { neurons }: Pick<Metagraph, "neurons">,
  ledger: Pick<Ledger, "metrics">,
): string {
  const measured = neurons.map(({ hotkey }) => ledger.metrics(hotkey))
    .filter(({ requestsPerSecond, served, failed }) =>
      requestsPerSecond >= 0 || served + failed > 0
    );
  return measured.length === 0
    ? "no miner of the subnet has been measured"
    : `${measured.length} of the subnet's miners were measured, and none of them has a reward now`;
}

/** What of a metagraph weights depend on. */
interface WeighedSubnet {
  readonly neurons: readonly { readonly hotkey: string }[];
  readonly hyperparameters: Pick<
    Metagraph["hyperparameters"],
    "minAllowedWeights" | "maxWeightsLimit"
  >;
}

/**
 * The weights to emit: by the metagraph's hotkeys of this moment, so that a uid that changed hands
 * has nothing of its old owner's. A miner that earned nothing has weight 0, and is listed only as far
 * as the subnet demands a length: the SDK would give each a share instead.
 * @returns undefined while no miner has earned anything: the SDK would then give all the same.
 */
export function weightsOf(
  { neurons, hyperparameters }: WeighedSubnet,
  ledger: Pick<Ledger, "metrics">,
): Weights | undefined {
  const scores = neurons.map(({ hotkey }) => rewardOf(ledger.metrics(hotkey)));
  if (scores.every((score) => score === 0)) return undefined;
  const maxWeightLimit = hyperparameters.maxWeightsLimit / 65535;
  const { uids, weights } = processWeights({ scores, minAllowedWeights: 0, maxWeightLimit });
  return withZeros(emitWeights(uids, weights), hyperparameters.minAllowedWeights, neurons.length);
}

/** As many uids as the subnet demands, which counts those with no weight too. */
function withZeros({ uids, weights }: Weights, least: number, neurons: number): Weights {
  const given = new Map(uids.map((uid, k) => [uid, weights[k]]));
  for (let uid = 0; uid < neurons && given.size < least; uid++) {
    if (!given.has(uid)) given.set(uid, 0);
  }
  const all = [...given].toSorted(([a], [b]) => a - b);
  return { uids: all.map(([uid]) => uid), weights: all.map(([, weight]) => weight) };
}
