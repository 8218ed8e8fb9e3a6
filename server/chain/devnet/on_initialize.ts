import { decodeAddress } from "@polkadot/util-crypto";
import { hexToU8a, u8aEq } from "@polkadot/util";
import { AppError } from "../../../core/error.ts";
import { decodeWeights, decryptWithSignature } from "../timelock/mod.ts";
import { pulseOf } from "./beacon.ts";
import { yumaConsensus } from "./consensus.ts";
import { epochIsDue, epochSeen, scheduleOf } from "./epochs.ts";
import { addStake, hotkeysOf, stakeOf } from "./neurons.ts";
import { DispatchFailure } from "./refusal.ts";
import type { State } from "./state.ts";
import { indexOf, mechanismsOf, storeWeights, type Timelocked } from "./weights.ts";

type Emit = (pallet: string, name: string, data: readonly unknown[]) => void;

/** rao of alpha a block; owner, miners and validators share them as on the chain. */
const EMISSION = 1_000_000_000;
const SHARES = { miners: 0.41, validators: 0.41 };
const U16_MAX = 65535;

/** What a subnet does before a block's transactions: reveals, then the epoch if one is due. */
export function beginBlock(state: State, netuid: number, block: number, emit: Emit): void {
  state.write("subtensorModule.registrationsThisBlock", [netuid], 0);
  for (let mecid = 0; mecid < mechanismsOf(state, netuid); mecid++) {
    revealDue(state, netuid, mecid, block, emit);
  }
  const item = (name: string) => `subtensorModule.${name}`;
  if (!epochIsDue(scheduleOf(state, netuid), block)) {
    const since = state.number(item("blocksSinceLastStep"), netuid);
    state.write(item("blocksSinceLastStep"), [netuid], since + 1);
    return;
  }
  runEpoch(state, netuid);
  state.write(item("lastEpochBlock"), [netuid], block);
  state.write(item("pendingEpochAt"), [netuid], 0);
  state.write(item("blocksSinceLastStep"), [netuid], 0);
  state.write(item("lastMechansimStepBlock"), [netuid], block);
  const index = state.number(item("subnetEpochIndex"), netuid);
  state.write(item("subnetEpochIndex"), [netuid], index + 1);
}

/** Opens the timelocked commits whose epoch has come. What cannot be opened yet waits. */
function revealDue(
  state: State,
  netuid: number,
  mecid: number,
  block: number,
  emit: Emit,
): void {
  const index = indexOf(netuid, mecid);
  const period = state.number("subtensorModule.revealPeriodEpochs", netuid);
  const epoch = epochSeen(state, netuid, block) - period;
  if (epoch < 0) return;
  const item = "subtensorModule.timelockedWeightCommits";
  // What could not be opened in its epoch is void.
  if (epoch > 0 && state.list(item, index, epoch - 1).length) {
    state.remove(item, [index, epoch - 1]);
  }
  const commits = state.list<Timelocked>(item, index, epoch);
  if (commits.length === 0) return;
  const newest = state.big("drand.lastStoredRound");
  const waiting = commits.filter(([, , , round]) => BigInt(round) > newest);
  for (const [who, , commit, round] of commits) {
    if (BigInt(round) > newest) continue;
    if (reveal(state, { netuid, mecid, who, commit, round: BigInt(round), block })) {
      emit("SubtensorModule", "TimelockedWeightsRevealed", [index, who]);
    }
  }
  if (waiting.length) state.write(item, [index, epoch], waiting);
  else state.remove(item, [index, epoch]);
}

/** @returns false for an invalid commit: as on the chain, without notice. */
function reveal(
  state: State,
  { netuid, mecid, who, commit, round, block }: {
    readonly netuid: number;
    readonly mecid: number;
    readonly who: string;
    readonly commit: string;
    readonly round: bigint;
    readonly block: number;
  },
): boolean {
  try {
    const opened = decryptWithSignature(hexToU8a(commit), pulseOf(round).signature);
    const { hotkey, uids, values, versionKey } = decodeWeights(opened);
    if (!u8aEq(hotkey, decodeAddress(who))) return false;
    storeWeights(state, { netuid, mecid, hotkey: who, uids, values, versionKey, block }, false);
    return true;
  } catch (error) {
    if (error instanceof AppError || error instanceof DispatchFailure) return false;
    throw error;
  }
}

/** Weights -> incentive, dividends, emission and permits. Mechanisms share the emission alike. */
function runEpoch(state: State, netuid: number): void {
  const item = (name: string) => `subtensorModule.${name}`;
  const hotkeys = hotkeysOf(state, netuid);
  const stake = hotkeys.map((hotkey) => Number(stakeOf(state, netuid, hotkey)));
  const permits = permitsOf(state, netuid, stake);
  const outcomes = Array.from({ length: mechanismsOf(state, netuid) }, (_, mecid) =>
    yumaConsensus({
      stake: stake.map((each, uid) => permits[uid] ? each : 0),
      weights: weightsOf(state, netuid, mecid, hotkeys.length),
      kappa: state.number(item("kappa"), netuid) / U16_MAX,
    }));
  const mean = (of: (outcome: typeof outcomes[number]) => readonly number[]) =>
    hotkeys.map((_, uid) =>
      outcomes.reduce((sum, outcome) => sum + of(outcome)[uid], 0) / outcomes.length
    );
  const [incentive, dividends] = [mean((each) => each.incentive), mean((each) => each.dividends)];
  const pot = EMISSION * state.number(item("tempo"), netuid);
  const emission = hotkeys.map((_, uid) =>
    Math.floor(pot * (SHARES.miners * incentive[uid] + SHARES.validators * dividends[uid]))
  );
  for (const [uid, hotkey] of hotkeys.entries()) {
    addStake(state, netuid, hotkey, BigInt(emission[uid]));
  }
  const u16 = (shares: readonly number[]) => shares.map((share) => Math.round(share * U16_MAX));
  const total = stake.reduce((sum, each) => sum + each, 0) || 1;
  const columns: Readonly<Record<string, readonly unknown[]>> = {
    dividends: u16(dividends),
    consensus: u16(mean((each) => each.consensus)),
    validatorTrust: u16(mean((each) => each.validatorTrust)),
    stakeWeight: u16(stake.map((each) => each / total)),
    emission,
    validatorPermit: permits,
  };
  for (const [name, values] of Object.entries(columns)) state.write(item(name), [netuid], values);
  for (const [mecid, outcome] of outcomes.entries()) {
    state.write(item("incentive"), [indexOf(netuid, mecid)], u16(outcome.incentive));
  }
}

/** weights[i][j]; without those that were set before j was registered: they were another's. */
function weightsOf(state: State, netuid: number, mecid: number, n: number): number[][] {
  const index = indexOf(netuid, mecid);
  const uids = Array.from({ length: n }, (_, uid) => uid);
  const lastUpdate = state.numbers("subtensorModule.lastUpdate", index);
  const since = uids.map((uid) => state.number("subtensorModule.blockAtRegistration", netuid, uid));
  return uids.map((uid) => {
    const row = new Array<number>(n).fill(0);
    const given = state.list<[number, number]>("subtensorModule.weights", index, uid);
    for (const [to, weight] of given) {
      if (to !== uid && (lastUpdate[uid] ?? 0) > since[to]) row[to] = weight;
    }
    return row;
  });
}

/** The neurons with most stake, as many as the subnet allows; none without stake. */
export function permitsOf(state: State, netuid: number, stake: readonly number[]): boolean[] {
  const max = state.number("subtensorModule.maxAllowedValidators", netuid);
  const ranked = stake.map((each, uid) => ({ each, uid })).filter(({ each }) => each > 0)
    .sort((a, b) => b.each - a.each).slice(0, max);
  const chosen = new Set(ranked.map(({ uid }) => uid));
  return stake.map((_, uid) => chosen.has(uid));
}
