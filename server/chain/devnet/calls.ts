import type { AnyTuple, CallBase } from "@polkadot/types/types";
import { stringCamelCase } from "@polkadot/util";
import { blake2AsHex } from "@polkadot/util-crypto";
import type { Runtime } from "./runtime.ts";
import { addStake, registerNeuron, stakeOf, uidOf } from "./neurons.ts";
import { DispatchFailure, fail, PoolRefusal } from "./refusal.ts";
import type { State, StateView } from "./state.ts";
import {
  commitHash,
  commitsOf,
  commitTimelocked,
  hashOfCommit,
  hasStake,
  indexOf,
  isTooFast,
  revealHash,
  storeWeights,
} from "./weights.ts";
import { epochSeen } from "./epochs.ts";

/** A signed call while its block executes it. */
export interface Dispatch {
  readonly runtime: Runtime;
  readonly state: State;
  /** SS58. */
  readonly who: string;
  readonly block: number;
  readonly emit: (pallet: string, name: string, data: readonly unknown[]) => void;
}

/** Arguments by the runtime's names, in camel case. */
type Arguments = Readonly<Record<string, Argument>>;
interface Argument {
  toString(): string;
  toHex(): string;
  toJSON(): unknown;
}
type Handler = (call: Dispatch, args: Arguments) => void;

/** Every call that the metadata has, but `Timestamp.set`, which the block's author makes. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "system.remark": () => {},
  "system.remarkWithEvent": ({ who, emit }, { remark }) =>
    emit("System", "Remarked", [who, blake2AsHex(remark.toHex())]),
  "balances.transferAllowDeath": (call, args) => transfer(call, args, false),
  "balances.transferKeepAlive": (call, args) => transfer(call, args, true),
  "utility.batchAll": batchAll,
  "commitments.setCommitment": setCommitment,
  "subtensorModule.setWeights": setWeights,
  "subtensorModule.setMechanismWeights": setWeights,
  "subtensorModule.commitWeights": ({ state, who, block, emit }, args) => {
    const [netuid, hash] = [number(args.netuid), args.commitHash.toHex()];
    commitHash(state, { netuid, hotkey: who, hash, block });
    emit("SubtensorModule", "WeightsCommitted", [who, netuid, hash]);
  },
  "subtensorModule.revealWeights": (call, args) => {
    const { runtime, state, who, emit } = call;
    const wish = { ...wishOf(call, args, "uids", "values") };
    const hash = hashOfCommit(runtime.registry, wish, numbers(args.salt));
    revealHash(state, wish, hash);
    emit("SubtensorModule", "WeightsRevealed", [who, wish.netuid, hash]);
  },
  "subtensorModule.commitTimelockedWeights": timelocked,
  "subtensorModule.commitTimelockedMechanismWeights": timelocked,
  "subtensorModule.serveAxon": serveAxon,
  "subtensorModule.burnedRegister": burnedRegister,
  "subtensorModule.addStake": (call, args) => moveStake(call, args, big(args.amountStaked)),
  "subtensorModule.removeStake": (call, args) => moveStake(call, args, -big(args.amountUnstaked)),
};

/** @throws DispatchFailure as the pallet fails. */
export function dispatch(call: Dispatch, { section, method, argsEntries }: CallParts): void {
  const handler = HANDLERS[`${section}.${method}`];
  if (!handler) fail("CallFiltered", "System");
  handler(call, Object.fromEntries(argsEntries));
}

export interface CallParts {
  readonly section: string;
  readonly method: string;
  readonly argsEntries: readonly (readonly [string, Argument])[];
}

export function partsOf(call: CallBase<AnyTuple>): CallParts {
  const names = call.meta.args.map(({ name }) => stringCamelCase(name.toString()));
  return {
    section: call.section,
    method: call.method,
    argsEntries: names.map((name, k) => [name, call.args[k]]),
  };
}

/**
 * What the runtime's transaction extension refuses before a transaction is in the pool. It does not
 * ask whether there is such a subnet, nor, of weights, whether the hotkey is on it: their block does.
 * @throws PoolRefusal with the extension's number.
 */
export function validate(dispatch: Dispatch, { section, method, argsEntries }: CallParts): void {
  if (section !== "subtensorModule") return;
  const args = Object.fromEntries(argsEntries);
  switch (method) {
    case "serveAxon":
      return validateAxon(dispatch.state, dispatch.who, dispatch.block, args);
    case "revealWeights":
      requireStake(dispatch, args);
      return validateReveal(dispatch, args);
    case "setWeights":
    case "setMechanismWeights":
      requireStake(dispatch, args);
      // Else its block refuses it, whenever it comes.
      if (!dispatch.state.flag(COMMIT_REVEAL, number(args.netuid))) requirePause(dispatch, args);
      return;
    case "commitWeights":
      requireStake(dispatch, args);
      return requirePause(dispatch, args);
    case "commitTimelockedWeights":
    case "commitTimelockedMechanismWeights":
      requireStake(dispatch, args);
      if (big(args.revealRound) < dispatch.state.big("drand.lastStoredRound")) {
        throw PoolRefusal.custom("InvalidRevealRound");
      }
      return requirePause(dispatch, args);
  }
}

const COMMIT_REVEAL = "subtensorModule.commitRevealWeightsEnabled";

function requireStake({ state, who }: Dispatch, { netuid }: Arguments): void {
  if (!hasStake(state, number(netuid), who)) throw PoolRefusal.custom("StakeAmountTooLow");
}

function requirePause({ state, who, block }: Dispatch, args: Arguments): void {
  const netuid = number(args.netuid);
  const uid = uidOf(state, netuid, who);
  if (uid !== undefined && isTooFast(state, netuid, mecidOf(args), uid, block)) {
    throw PoolRefusal.custom("RateLimitExceeded");
  }
}

function validateReveal({ state, who, block, runtime }: Dispatch, args: Arguments): void {
  const wish = wishOf({ who, block }, args, "uids", "values");
  const hash = hashOfCommit(runtime.registry, wish, numbers(args.salt));
  const commit = commitsOf(state, wish.netuid, who).find(([each]) => each === hash);
  if (!commit) throw PoolRefusal.custom("CommitNotFound");
  const period = state.number("subtensorModule.revealPeriodEpochs", wish.netuid);
  if (epochSeen(state, wish.netuid, block) !== Number(commit[1]) + period) {
    throw PoolRefusal.custom("CommitBlockNotInRevealRange");
  }
}

function validateAxon(state: State, who: string, block: number, args: Arguments): void {
  const netuid = number(args.netuid);
  if (uidOf(state, netuid, who) === undefined) {
    throw PoolRefusal.custom("HotKeyNotRegisteredInNetwork");
  }
  const type = number(args.ipType);
  if (!isIpType(type)) throw PoolRefusal.custom("BadRequest");
  if (!isServable(big(args.ip), type)) throw PoolRefusal.custom("InvalidIpAddress");
  if (isServedTooFast(state, netuid, who, block)) {
    throw PoolRefusal.custom("ServingRateLimitExceeded");
  }
  if (number(args.port) === 0) throw PoolRefusal.custom("InvalidPort");
}

const LOOPBACK = { 4: 0x7f000001n, 6: 1n } as const;
const HIGHEST = { 4: 2n ** 32n - 1n, 6: 2n ** 128n - 1n } as const;

function isIpType(type: number): type is 4 | 6 {
  return type === 4 || type === 6;
}

function isServable(ip: bigint, type: 4 | 6): boolean {
  return ip !== LOOPBACK[type] && ip < HIGHEST[type];
}

function isServedTooFast(state: State, netuid: number, who: string, block: number): boolean {
  const axon = state.read("subtensorModule.axons", netuid, who)?.toJSON() as
    | { block: number }
    | null
    | undefined;
  const limit = state.number("subtensorModule.servingRateLimit", netuid);
  return !!axon && limit !== 0 && block - axon.block < limit;
}

function serveAxon({ state, who, block, emit }: Dispatch, args: Arguments): void {
  const netuid = number(args.netuid);
  if (!state.flag("subtensorModule.networksAdded", netuid)) fail("SubnetNotExists");
  if (uidOf(state, netuid, who) === undefined) fail("HotKeyNotRegisteredInNetwork");
  const type = number(args.ipType);
  if (!isIpType(type)) return fail("InvalidIpType");
  if (!isServable(big(args.ip), type)) fail("InvalidIpAddress");
  if (isServedTooFast(state, netuid, who, block)) fail("ServingRateLimitExceeded");
  if (number(args.port) === 0) fail("InvalidPort");
  state.write("subtensorModule.axons", [netuid, who], {
    block,
    version: number(args.version),
    ip: big(args.ip),
    port: number(args.port),
    ipType: type,
    protocol: number(args.protocol),
    placeholder1: number(args.placeholder1),
    placeholder2: number(args.placeholder2),
  });
  emit("SubtensorModule", "AxonServed", [netuid, who]);
}

function setWeights(call: Dispatch, args: Arguments): void {
  const wish = wishOf(call, args, "dests", "weights");
  if (call.state.flag(COMMIT_REVEAL, wish.netuid)) fail("CommitRevealEnabled");
  const uid = storeWeights(call.state, wish, true);
  call.emit("SubtensorModule", "WeightsSet", [indexOf(wish.netuid, wish.mecid), uid]);
}

function timelocked({ state, who, block, emit }: Dispatch, args: Arguments): void {
  const [netuid, mecid, round] = [number(args.netuid), mecidOf(args), big(args.revealRound)];
  const commit = args.commit.toHex();
  if (round < state.big("drand.lastStoredRound")) fail("InvalidRevealRound");
  const version = number(args.commitRevealVersion);
  commitTimelocked(state, { netuid, mecid, hotkey: who, commit, round, version, block });
  const hash = blake2AsHex(commit);
  const index = indexOf(netuid, mecid);
  emit("SubtensorModule", "TimelockedWeightsCommitted", [who, index, hash, round]);
}

function burnedRegister({ state, who, block, emit }: Dispatch, args: Arguments): void {
  const [netuid, hotkey] = [number(args.netuid), args.hotkey.toString()];
  if (!state.flag("subtensorModule.networksAdded", netuid)) fail("SubnetNotExists");
  const burn = state.big("subtensorModule.burn", netuid);
  const soFar = state.number("subtensorModule.registrationsThisBlock", netuid);
  if (soFar >= state.number("subtensorModule.maxRegistrationsPerBlock", netuid)) {
    fail("TooManyRegistrationsThisBlock");
  }
  if (freeOf(state, who) < burn) fail("NotEnoughBalanceToStake");
  credit(state, who, -burn);
  state.write("subtensorModule.registrationsThisBlock", [netuid], soFar + 1);
  const uid = registerNeuron(state, { netuid, hotkey, coldkey: who, block });
  emit("SubtensorModule", "NeuronRegistered", [netuid, uid, hotkey]);
}

/** One TAO is one alpha here: the devnet has no pool to swap in. */
function moveStake({ state, who, block, emit }: Dispatch, args: Arguments, amount: bigint): void {
  const [netuid, hotkey] = [number(args.netuid), args.hotkey.toString()];
  const owner = state.text("subtensorModule.owner", hotkey);
  if (!state.flag("subtensorModule.networksAdded", netuid)) fail("SubnetNotExists");
  if (uidOf(state, netuid, hotkey) === undefined) fail("HotKeyAccountNotExists");
  if (amount > 0n && freeOf(state, who) < amount) fail("NotEnoughBalanceToStake");
  if (amount < 0n && owner !== who) fail("NonAssociatedColdKey");
  if (amount < 0n && stakeOf(state, netuid, hotkey) < -amount) fail("NotEnoughStakeToWithdraw");
  credit(state, who, -amount);
  addStake(state, netuid, hotkey, amount);
  const size = amount < 0n ? -amount : amount;
  const name = amount > 0n ? "StakeAdded" : "StakeRemoved";
  emit("SubtensorModule", name, [who, hotkey, size, size, netuid, block]);
}

function transfer({ state, who, emit }: Dispatch, args: Arguments, keepAlive: boolean): void {
  const [amount, { id: to }] = [big(args.value), args.dest.toJSON() as { readonly id?: string }];
  // As the chain: of the kinds of addresses only accounts can be looked up.
  if (to === undefined) throw new DispatchFailure("CannotLookup");
  const left = freeOf(state, who) - amount;
  if (left < 0n) fail("FundsUnavailable", "Token");
  if (keepAlive && left < EXISTENTIAL) fail("NotExpendable", "Token");
  credit(state, who, -amount);
  credit(state, to, amount);
  emit("Balances", "Transfer", [who, to, amount]);
}

/** One that fails undoes all: the block takes back what a call did that failed. */
function batchAll(call: Dispatch, { calls }: Arguments): void {
  for (const each of calls as unknown as readonly CallBase<AnyTuple>[]) {
    dispatch(call, partsOf(each));
    call.emit("Utility", "ItemCompleted", []);
  }
  call.emit("Utility", "BatchCompleted", []);
}

/** Without a deposit: the devnet's space is not scarce. */
function setCommitment({ state, who, block, emit }: Dispatch, args: Arguments): void {
  const netuid = number(args.netuid);
  if (uidOf(state, netuid, who) === undefined) fail("AccountNotAllowedCommit", "Commitments");
  const registration = { deposit: 0, block, info: args.info.toJSON() };
  state.write("commitments.commitmentOf", [netuid, who], registration);
  emit("Commitments", "Commitment", [netuid, who]);
}

/** rao: what an account needs to stay alive. */
const EXISTENTIAL = 500n;

function freeOf(state: State, who: string): bigint {
  const account = state.read("system.account", who) as unknown as { data: { free: Argument } };
  return BigInt(account.data.free.toString());
}

/** Of the next transaction, without those that wait. */
export function nonceOf(state: StateView, who: string): number {
  return (state.read("system.account", who)?.toJSON() as { readonly nonce: number }).nonce;
}

export function credit(state: State, who: string, amount: bigint): void {
  const account = state.read("system.account", who)?.toJSON() as {
    nonce: number;
    data: Record<string, unknown>;
  };
  const free = freeOf(state, who) + amount;
  state.write("system.account", [who], {
    ...account,
    providers: 1,
    data: { ...account.data, free },
  });
}

function wishOf(
  { who, block }: Pick<Dispatch, "who" | "block">,
  args: Arguments,
  uids: string,
  values: string,
) {
  return {
    netuid: number(args.netuid),
    mecid: mecidOf(args),
    hotkey: who,
    uids: numbers(args[uids]),
    values: numbers(args[values]),
    versionKey: big(args.versionKey),
    block,
  };
}

/** Calls of before there were mechanisms are of the first. */
function mecidOf({ mecid }: Arguments): number {
  return mecid === undefined ? 0 : number(mecid);
}

function number(argument: Argument): number {
  return Number(argument.toString());
}

function big(argument: Argument): bigint {
  return BigInt(argument.toString());
}

function numbers(argument: Argument): number[] {
  return (argument.toJSON() as unknown[]).map(Number);
}
