import { AppError } from "../../../core/error.ts";

/** A subnet's epochs as they stand at a block. */
export interface EpochState {
  readonly head: number;
  readonly lastEpochBlock: number;
  readonly pendingEpochAt: number;
  readonly subnetEpochIndex: number;
  readonly tempo: number;
  readonly blocksSinceLastStep: number;
  readonly revealPeriodEpochs: number;
}

/** drand's beacon as the chain knows it. */
export interface Beacon {
  /** Compressed G2, 96 bytes. */
  readonly publicKey: Uint8Array;
  /** Seconds since 1970 of round 1, and from round to round. */
  readonly genesisTime: number;
  readonly period: number;
}

const MAX_BLOCKS_BETWEEN = 50_400;
/** Blocks after the reveal's that the round must not be public before. */
const MARGIN_BLOCKS = 3;

/**
 * The first block whose epoch reveals a commit made in the next block: the chain's schedule, run
 * ahead.
 * @throws AppError `chain_invalid` for a subnet without epochs.
 */
export function firstRevealBlock(state: EpochState): number {
  if (state.tempo === 0) {
    throw new AppError("chain_invalid", "Cannot commit weights: the subnet's tempo is 0, not more");
  }
  let { lastEpochBlock, pendingEpochAt, blocksSinceLastStep } = state;
  // A commit in the next block counts to the epoch that is seen there.
  let epochs = 0;
  let target: number | undefined;
  for (let block = state.head + 1;; block++) {
    const due = (pendingEpochAt > 0 && block >= pendingEpochAt) ||
      blocksSinceLastStep > MAX_BLOCKS_BETWEEN || block - lastEpochBlock >= state.tempo;
    const seen = epochs + (due ? 1 : 0);
    target ??= seen + state.revealPeriodEpochs;
    if (due && seen >= target) return block;
    blocksSinceLastStep = due ? 0 : blocksSinceLastStep + 1;
    if (!due) continue;
    lastEpochBlock = block;
    pendingEpochAt = 0;
    epochs++;
  }
}

/**
 * The beacon's round that opens a commit: never one that is public already, as it would be on chains
 * whose blocks are faster than the beacon.
 * @param now seconds since 1970. @param blockSeconds from block to block.
 */
export function revealRound(
  state: EpochState,
  { genesisTime, period }: Beacon,
  { now, blockSeconds }: { readonly now: number; readonly blockSeconds: number },
): bigint {
  const blocks = firstRevealBlock(state) + MARGIN_BLOCKS - state.head;
  const round = Math.floor((now + blocks * blockSeconds - genesisTime) / period);
  // Round 1 is at genesis: the newest that is public is one more than the periods since.
  const next = Math.floor((now - genesisTime) / period) + 2;
  return BigInt(Math.max(1, round, next));
}
