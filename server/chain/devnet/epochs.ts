import type { StateView } from "./state.ts";

/** The chain's epochs are stateful: the last one's block is kept, not computed from the tempo. */
export interface EpochSchedule {
  readonly lastEpochBlock: number;
  readonly pendingEpochAt: number;
  readonly tempo: number;
  readonly blocksSinceLastStep: number;
}

const MAX_BLOCKS = 50_400;

export function scheduleOf(state: StateView, netuid: number): EpochSchedule {
  const read = (item: string) => state.number(`subtensorModule.${item}`, netuid);
  return {
    lastEpochBlock: read("lastEpochBlock"),
    pendingEpochAt: read("pendingEpochAt"),
    tempo: read("tempo"),
    blocksSinceLastStep: read("blocksSinceLastStep"),
  };
}

export function epochIsDue(schedule: EpochSchedule, block: number): boolean {
  const { lastEpochBlock, pendingEpochAt, tempo, blocksSinceLastStep } = schedule;
  if (tempo === 0) return false;
  return (pendingEpochAt > 0 && block >= pendingEpochAt) || blocksSinceLastStep > MAX_BLOCKS ||
    block - lastEpochBlock >= tempo;
}

/** The epoch that a commit made in this block counts to. */
export function epochSeen(state: StateView, netuid: number, block: number): number {
  const index = state.number("subtensorModule.subnetEpochIndex", netuid);
  return index + (epochIsDue(scheduleOf(state, netuid), block) ? 1 : 0);
}

/** The block of the next epoch after this one; undefined where the tempo is 0. */
export function nextEpochBlock(schedule: EpochSchedule, block: number): number | undefined {
  const { lastEpochBlock, pendingEpochAt, tempo } = schedule;
  if (tempo === 0) return undefined;
  const regular = Math.max(lastEpochBlock + tempo, block + 1);
  return pendingEpochAt > 0 ? Math.min(regular, Math.max(pendingEpochAt, block + 1)) : regular;
}
