import { blake2AsHex } from "@polkadot/util-crypto";
import type { TypeRegistry } from "@polkadot/types";
import { u8aConcat } from "@polkadot/util";
import { epochSeen } from "./epochs.ts";
import { setOfUid, stakeOf, uidOf } from "./neurons.ts";
import { fail } from "./refusal.ts";
import type { State, StateView } from "./state.ts";

const U16_MAX = 65535;
const MAX_UNREVEALED = 10;

/** A validator's wish. */
export interface WeightsWish {
  readonly netuid: number;
  /** 0 pays for computing; a subnet may have more. */
  readonly mecid: number;
  readonly hotkey: string;
  readonly uids: readonly number[];
  readonly values: readonly number[];
  readonly versionKey: bigint;
  readonly block: number;
}

/** Mechanisms that a subnet may have share its storage by this step of `netuid_index`. */
const MECHANISM_STEP = 4096;

/** `netuid_index`: of the items that each mechanism has its own of. */
export function indexOf(netuid: number, mecid: number): number {
  return netuid + mecid * MECHANISM_STEP;
}

/** How many mechanisms a subnet has. */
export function mechanismsOf(state: StateView, netuid: number): number {
  return state.number("subtensorModule.mechanismCountCurrent", netuid);
}

function requireMechanism(state: State, netuid: number, mecid: number): void {
  requireSubnet(state, netuid);
  if (mecid >= mechanismsOf(state, netuid)) fail("MechanismDoesNotExist");
}

/** The pallet's checks in its order. @param rated the rate limit holds (not for reveals). */
export function storeWeights(state: State, wish: WeightsWish, rated: boolean): number {
  const { netuid, mecid, hotkey, uids, values, versionKey, block } = wish;
  const index = indexOf(netuid, mecid);
  const read = (item: string) => state.number(`subtensorModule.${item}`, netuid);
  const n = read("subnetworkN");
  if (uids.length !== values.length) fail("WeightVecNotEqualSize");
  requireMechanism(state, netuid, mecid);
  if (uids.length > n) fail("UidsLengthExceedUidsInSubNet");
  const uid = uidOf(state, netuid, hotkey) ?? fail("HotKeyNotRegisteredInSubNet");
  if (!hasStake(state, netuid, hotkey)) fail("NotEnoughStakeToSetWeights");
  if (versionKey < state.big("subtensorModule.weightsVersionKey", netuid)) {
    fail("IncorrectWeightVersionKey");
  }
  if (rated && isTooFast(state, netuid, mecid, uid, block)) fail("SettingWeightsTooFast");
  const selfOnly = uids.length === 1 && uids[0] === uid;
  if (!selfOnly && !isPermitted(state, netuid, uid, hotkey)) fail("NeuronNoValidatorPermit");
  if (new Set(uids).size !== uids.length) fail("DuplicateUids");
  if (uids.some((each) => each >= n)) fail("UidVecContainInvalidOne");
  if (!selfOnly && uids.length < Math.min(read("minAllowedWeights"), n)) {
    fail("WeightVecLengthIsLow");
  }
  const largest = Math.max(...values, 1);
  const scaled = values.map((value) => Math.round(value * U16_MAX / largest));
  state.write("subtensorModule.weights", [index, uid], uids.map((each, k) => [each, scaled[k]]));
  if (rated) setOfUid(state, "lastUpdate", index, uid, block);
  return uid;
}

/** The owner's hotkey needs no permit. */
function isPermitted(state: State, netuid: number, uid: number, hotkey: string): boolean {
  return state.text("subtensorModule.subnetOwnerHotkey", netuid) === hotkey ||
    state.list<boolean>("subtensorModule.validatorPermit", netuid)[uid];
}

export function hasStake(state: State, netuid: number, hotkey: string): boolean {
  return stakeOf(state, netuid, hotkey) >= state.big("subtensorModule.stakeThreshold");
}

/** A registration counts as an update, so a new hotkey waits as well; one from genesis does not. */
export function isTooFast(
  state: State,
  netuid: number,
  mecid: number,
  uid: number,
  block: number,
): boolean {
  const last = state.numbers("subtensorModule.lastUpdate", indexOf(netuid, mecid))[uid] ?? 0;
  return last !== 0 && block - last < state.number("subtensorModule.weightsSetRateLimit", netuid);
}

/** [hash, epoch, block, 0] as the storage has them. */
export type Commit = readonly [hash: string, epoch: number, block: number, _: number];

export function commitsOf(state: State, netuid: number, hotkey: string): Commit[] {
  return state.list<Commit>("subtensorModule.weightCommits", netuid, hotkey);
}

/** Commits that can still be revealed. */
function live(state: State, netuid: number, hotkey: string, block: number): Commit[] {
  const period = state.number("subtensorModule.revealPeriodEpochs", netuid);
  const seen = epochSeen(state, netuid, block);
  return commitsOf(state, netuid, hotkey).filter(([, epoch]) => Number(epoch) + period >= seen);
}

export function commitHash(
  state: State,
  { netuid, hotkey, hash, block }: {
    readonly netuid: number;
    readonly hotkey: string;
    readonly hash: string;
    readonly block: number;
  },
): void {
  const uid = committer(state, netuid, 0, hotkey, block);
  const kept = live(state, netuid, hotkey, block);
  if (kept.length >= MAX_UNREVEALED) fail("TooManyUnrevealedCommits");
  const commit: Commit = [hash, epochSeen(state, netuid, block), block, 0];
  state.write("subtensorModule.weightCommits", [netuid, hotkey], [...kept, commit]);
  setOfUid(state, "lastUpdate", netuid, uid, block);
}

/** The chain's words for a subnet that is not there, where weights are concerned. */
function requireSubnet(state: State, netuid: number): void {
  if (!state.flag("subtensorModule.networksAdded", netuid)) fail("MechanismDoesNotExist");
}

/** The committing hotkey must be registered, have stake, and not come too soon. */
function committer(
  state: State,
  netuid: number,
  mecid: number,
  hotkey: string,
  block: number,
): number {
  requireMechanism(state, netuid, mecid);
  if (!state.flag("subtensorModule.commitRevealWeightsEnabled", netuid)) {
    fail("CommitRevealDisabled");
  }
  const uid = uidOf(state, netuid, hotkey) ?? fail("HotKeyNotRegisteredInSubNet");
  if (!hasStake(state, netuid, hotkey)) fail("NotEnoughStakeToSetWeights");
  if (isTooFast(state, netuid, mecid, uid, block)) fail("CommittingWeightsTooFast");
  return uid;
}

/** blake2_256 over (hotkey, netuid_index, uids, values, salt, version_key). */
export function hashOfCommit(
  registry: TypeRegistry,
  wish: Pick<WeightsWish, "hotkey" | "netuid" | "uids" | "values" | "versionKey">,
  salt: readonly number[],
): string {
  const encode = (type: string, value: unknown) => registry.createType(type, value).toU8a();
  return blake2AsHex(u8aConcat(
    encode("AccountId", wish.hotkey),
    encode("u16", wish.netuid),
    encode("Vec<u16>", wish.uids),
    encode("Vec<u16>", wish.values),
    encode("Vec<u16>", salt),
    encode("u64", wish.versionKey),
  ));
}

/** Takes a hash commit's place. @returns the validator's uid. */
export function revealHash(state: State, wish: WeightsWish, hash: string): number {
  const { netuid, hotkey, block } = wish;
  if (!state.flag("subtensorModule.commitRevealWeightsEnabled", netuid)) {
    fail("CommitRevealDisabled");
  }
  const commits = commitsOf(state, netuid, hotkey);
  if (commits.length === 0) fail("NoWeightsCommitFound");
  const commit = commits.find(([each]) => each === hash);
  if (!commit) fail("InvalidRevealCommitHashNotMatch");
  const due = Number(commit[1]) + state.number("subtensorModule.revealPeriodEpochs", netuid);
  const seen = epochSeen(state, netuid, block);
  if (seen < due) fail("RevealTooEarly");
  if (seen > due) fail("ExpiredWeightCommit");
  const uid = storeWeights(state, wish, false);
  // With it go those that were made before it.
  const rest = commits.slice(commits.indexOf(commit) + 1);
  if (rest.length) state.write("subtensorModule.weightCommits", [netuid, hotkey], rest);
  else state.remove("subtensorModule.weightCommits", [netuid, hotkey]);
  return uid;
}

/** [who, block, commit, round] as the storage has them. */
export type Timelocked = readonly [who: string, block: number, commit: string, round: number];

export function commitTimelocked(
  state: State,
  { netuid, mecid, hotkey, commit, round, version, block }: {
    readonly netuid: number;
    readonly mecid: number;
    readonly hotkey: string;
    readonly commit: string;
    readonly round: bigint;
    readonly version: number;
    readonly block: number;
  },
): void {
  if (version !== state.number("subtensorModule.commitRevealWeightsVersion")) {
    fail("IncorrectCommitRevealVersion");
  }
  const uid = committer(state, netuid, mecid, hotkey, block);
  const index = indexOf(netuid, mecid);
  const epoch = epochSeen(state, netuid, block);
  const commits = state.list<Timelocked>("subtensorModule.timelockedWeightCommits", index, epoch);
  if (commits.filter(([who]) => who === hotkey).length >= MAX_UNREVEALED) {
    fail("TooManyUnrevealedCommits");
  }
  state.write("subtensorModule.timelockedWeightCommits", [index, epoch], [
    ...commits,
    [hotkey, block, commit, round],
  ]);
  setOfUid(state, "lastUpdate", index, uid, block);
}
