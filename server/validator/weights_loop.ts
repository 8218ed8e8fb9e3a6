import { reason } from "../../core/error.ts";
import {
  blendScores,
  creatorScores,
  type CreatorShare,
  rewardOf,
  subnetWeights,
  type Weights,
} from "../../core/incentive/mod.ts";
import type { Metagraph, Reveal, SubtensorClient, Wallet } from "../chain/mod.ts";
import { type Log, OnChange } from "../telemetry/mod.ts";
import { VERSION, versionKey } from "../neuron/mod.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { WeightsTurn } from "./weights_turn.ts";

/** What creators of content earned, and what it is worth beside computing. */
export interface ContentEarnings {
  readonly read: () => Promise<readonly CreatorShare[]>;
  /** In [0, 1], of mechanism 0, where the subnet has no mechanism of its own for it. */
  readonly share: number;
}

interface WeightsLoopParts {
  readonly chain: Pick<
    SubtensorClient,
    "block" | "onBlock" | "metagraph" | "mechanisms" | "setWeights" | "weightsRevealed"
  >;
  readonly wallet: Wallet;
  readonly ledger: Ledger;
  readonly content?: ContentEarnings;
  /** Blocks from weights to weights. */
  readonly epochLength: number;
  /** Where several processes could set them; undefined for another's turn. */
  readonly turn?: () => Promise<WeightsTurn | undefined>;
  readonly log: Log;
}

/** Of a subnet that pays for content apart: which of its mechanisms does. */
const CONTENT_MECHANISM = 1;
/** Blocks until another try, after one that failed. */
const RETRY_BLOCKS = 5;

/** The version key of this validator's weights. */
export const WEIGHTS_VERSION = versionKey(VERSION);

/** Sets weights every so many blocks. */
export class WeightsLoop implements AsyncDisposable {
  readonly #parts: WeightsLoopParts;
  readonly #end: () => void;
  readonly #state: OnChange;
  readonly #contentState: OnChange;
  #next: number;
  /** Of the mechanism that pays for content. */
  #nextContent = 0;
  #running: Promise<void> | undefined;

  constructor(parts: WeightsLoopParts) {
    this.#parts = parts;
    this.#state = new OnChange(parts.log);
    this.#contentState = new OnChange(parts.log);
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
      const { chain } = this.#parts;
      if (!this.#parts.turn) return await this.#setOnce(await chain.metagraph(), () => true);
      await using turn = await this.#parts.turn();
      if (!turn) return;
      const metagraph = await chain.metagraph();
      if (!this.#isSet(metagraph, block)) await this.#setOnce(metagraph, turn.held);
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

  /**
   * @param mine whether the turn is still this process's: another may set them from then on.
   * @throws AppError as the chain refuses them.
   */
  async #setOnce(metagraph: Metagraph, mine: () => boolean): Promise<void> {
    const { content, chain } = this.#parts;
    const apart = content !== undefined && await chain.mechanisms() > CONTENT_MECHANISM;
    if (apart) await this.#setContent(metagraph, content, mine);
    await this.#setCompute(metagraph, apart ? undefined : content, mine);
  }

  async #setCompute(
    metagraph: Metagraph,
    content: ContentEarnings | undefined,
    mine: () => boolean,
  ): Promise<void> {
    const { ledger, epochLength } = this.#parts;
    const blended = content && await this.#blended(content);
    const weights = weightsOf(metagraph, ledger, blended);
    if (!weights) return this.#state.say("no weights", { why: whyNone(metagraph, ledger) });
    const block = await this.#emit(weights, 0, mine);
    if (block === undefined) return;
    // The chain's rate limit counts from the block that took them.
    this.#next = block + epochLength;
    ledger.weights.add({ block, ...weights });
    this.#state.clear();
  }

  /** Who computes has weights all the same while nobody says what creators earned. */
  async #blended({ read, share }: ContentEarnings) {
    try {
      return { shares: await read(), share };
    } catch (error) {
      this.#contentState.say("content left out of weights", { error: reason(error) }, "warn");
      return undefined;
    }
  }

  /** What keeps these back keeps those for computing back in nothing. */
  async #setContent(
    { neurons, hyperparameters }: Metagraph,
    content: ContentEarnings,
    mine: () => boolean,
  ): Promise<void> {
    const { chain, epochLength } = this.#parts;
    this.#nextContent = Math.min(this.#nextContent, chain.block + epochLength);
    if (chain.block < this.#nextContent) return;
    try {
      const scores = creatorScores(await content.read(), neurons);
      const weights = subnetWeights(scores, hyperparameters);
      if (!weights) {
        const why = "no creator with a hotkey has earned anything";
        return this.#contentState.say("no weights", { why, mechanism: CONTENT_MECHANISM });
      }
      const block = await this.#emit(weights, CONTENT_MECHANISM, mine);
      if (block === undefined) return;
      this.#nextContent = block + epochLength;
      this.#contentState.clear();
    } catch (error) {
      const why = { error: reason(error), mechanism: CONTENT_MECHANISM };
      this.#contentState.say("weights not set", why, "warn");
    }
  }

  /** @returns the block that took them; undefined where another process may set them by now. */
  async #emit(
    weights: Weights,
    mechanism: number,
    mine: () => boolean,
  ): Promise<number | undefined> {
    if (!mine()) return undefined;
    const { chain, wallet, log } = this.#parts;
    // Of the first mechanism nothing is said, which is a subnet's only one as a rule.
    const of = mechanism > 0 ? { mechanism } : {};
    const versioned = { ...weights, ...of, versionKey: WEIGHTS_VERSION };
    const outcome = await chain.setWeights(versioned, wallet.pair);
    log("weights set", { ...weights, ...of, way: outcome.way, block: outcome.block });
    if (outcome.reveal) this.#watch(outcome.reveal);
    return outcome.block;
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
  readonly neurons: readonly { readonly hotkey: string; readonly coldkey?: string }[];
  readonly hyperparameters: Pick<
    Metagraph["hyperparameters"],
    "minAllowedWeights" | "maxWeightsLimit"
  >;
}

/**
 * The weights to emit: by the metagraph's hotkeys of this moment, so that a uid that changed hands
 * has nothing of its old owner's.
 * @param content what creators earned, and its share beside computing.
 * @returns undefined while no miner has earned anything.
 */
export function weightsOf(
  { neurons, hyperparameters }: WeighedSubnet,
  ledger: Pick<Ledger, "metrics">,
  content?: { readonly shares: readonly CreatorShare[]; readonly share: number },
): Weights | undefined {
  const scores = neurons.map(({ hotkey }) => rewardOf(ledger.metrics(hotkey)));
  if (scores.every((score) => score === 0)) return undefined;
  const blended = content
    ? blendScores(scores, creatorScores(content.shares, neurons), content.share)
    : scores;
  return subnetWeights(blended, hyperparameters);
}
