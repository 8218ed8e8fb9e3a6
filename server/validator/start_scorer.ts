import { ThreadCodec } from "../compute/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { joinAsScorer, openOwnScoring, type OwnOptions } from "./open_scoring.ts";

/** What a scorer is started with. */
export interface ScorerOptions extends OwnOptions {
  /** SS58 of the validator. */
  readonly of: string;
  /** Its caller closes it. */
  readonly cluster: Cluster;
}

/**
 * Starts what makes checks alone, for all processes of a validator in a cluster.
 * @throws AppError that says in one line what is missing and what to do.
 */
export async function startScorer(options: ScorerOptions): Promise<AsyncDisposable> {
  const { cluster, of, log } = options;
  await using stack = new AsyncDisposableStack();
  const codec = stack.use(new ThreadCodec());
  const own = await openOwnScoring(options, codec, stack);
  stack.use(await joinAsScorer(cluster, of, own, log));
  return stack.move();
}
