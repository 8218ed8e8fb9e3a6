import { reason } from "../../core/error.ts";
import { emitWeights, processWeights, rewardOf, type Weights } from "../../core/incentive/mod.ts";
import type { Metagraph, SubtensorClient, Wallet } from "../chain/mod.ts";
import type { Ledger } from "./ledger.ts";

interface WeightsLoopParts {
  readonly chain: Pick<SubtensorClient, "block" | "onBlock" | "metagraph" | "setWeights">;
  readonly wallet: Wallet;
  readonly ledger: Ledger;
  /** Blocks from weights to weights. */
  readonly epochLength: number;
  readonly log: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Blocks until another try, after one that failed. */
const RETRY_BLOCKS = 5;

/** Sets weights every so many blocks. */
export class WeightsLoop implements AsyncDisposable {
  readonly #parts: WeightsLoopParts;
  readonly #end: () => void;
  #next: number;
  #running: Promise<void> | undefined;

  constructor(parts: WeightsLoopParts) {
    this.#parts = parts;
    const { chain, ledger, epochLength } = parts;
    // The first ones after as much time as all others: until then little is known.
    this.#next = (ledger.lastWeights()?.block ?? chain.block) + epochLength;
    this.#end = chain.onBlock((block) => {
      if (block < this.#next || this.#running) return;
      this.#running = this.#set(block).finally(() => this.#running = undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#running;
  }

  async #set(block: number): Promise<void> {
    const { chain, wallet, ledger, epochLength, log } = this.#parts;
    try {
      const metagraph = await chain.metagraph();
      const weights = weightsOf(metagraph, ledger);
      this.#next = block + (weights ? epochLength : RETRY_BLOCKS);
      if (!weights) return log("no weights", { why: "no miner has earned any yet" });
      const versionKey = BigInt(metagraph.hyperparameters.weightsVersion);
      const outcome = await chain.setWeights({ ...weights, versionKey }, wallet.pair);
      ledger.setWeights(block, weights.uids, weights.weights);
      ledger.sweep();
      log("weights set", { ...weights, way: outcome.way, block: outcome.block });
    } catch (error) {
      this.#next = block + RETRY_BLOCKS;
      log("weights not set", { block, error: reason(error) });
    }
  }
}

/**
 * What the chain is told: by the metagraph's hotkeys of this moment, so that a uid that changed
 * hands has nothing of its old owner's.
 * @returns undefined while nobody has earned anything: the SDK would then pay all the same.
 */
export function weightsOf(
  { neurons, hyperparameters }: Pick<Metagraph, "neurons" | "hyperparameters">,
  ledger: Pick<Ledger, "metrics">,
): Weights | undefined {
  const scores = neurons.map(({ hotkey }) => rewardOf(ledger.metrics(hotkey)));
  if (scores.every((score) => score === 0)) return undefined;
  const { uids, weights } = processWeights({
    scores,
    minAllowedWeights: hyperparameters.minAllowedWeights,
    maxWeightLimit: hyperparameters.maxWeightsLimit / 65535,
  });
  return emitWeights(uids, weights);
}
