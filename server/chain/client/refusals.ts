import type { DispatchError } from "@polkadot/types/interfaces";
import { AppError, type ErrorCode, reason } from "../../../core/error.ts";
import { type Place, registerCommand, stakeCommand } from "./registering.ts";

/** Errors that a registration puts right, and those that stake does. */
const UNREGISTERED = ["HotKeyNotRegisteredInSubNet", "HotKeyNotRegisteredInNetwork", "UidNotFound"];
const TOO_LITTLE_STAKE = ["NotEnoughStakeToSetWeights", "StakeAmountTooLow"];

/** What to do about any other error of the runtime, by its name. */
const REMEDIES: Readonly<Record<string, string>> = {
  NeuronNoValidatorPermit: "a permit goes to the hotkeys with most stake: add stake",
  SettingWeightsTooFast: "wait for the subnet's weights rate limit to pass",
  CommittingWeightsTooFast: "wait for the subnet's weights rate limit to pass",
  RateLimitExceeded: "wait for the subnet's rate limit to pass",
  ServingRateLimitExceeded: "wait for the subnet's serving rate limit to pass",
  IncorrectWeightVersionKey: "this validator is older than the subnet demands: update it",
  IncorrectCommitRevealVersion: "the runtime takes commits of another form: update this client",
  CommitRevealEnabled: "the subnet demands commits since a moment ago: try again",
  CommitRevealDisabled: "the subnet takes no commits: set the weights at once",
  InvalidIpAddress: "give an address that others can reach with --axon.external_ip",
  InvalidIpType: "give an IPv4 or IPv6 address with --axon.external_ip",
  InvalidPort: "give a port from 1 to 65535 with --axon.external_port",
  RevealTooEarly: "reveal in the epoch that the subnet's reveal period names",
  ExpiredWeightCommit: "the commit's epoch is over: commit again",
  CommitBlockNotInRevealRange: "the commit's epoch has not come, or is over",
  CommitNotFound: "uids, values, salt and version key must be those of the commit",
  NoWeightsCommitFound: "uids, values, salt and version key must be those of the commit",
  InvalidRevealCommitHashNotMatch: "uids, values, salt and version key must be those of the commit",
  InvalidRevealRound: "the reveal round is already public: check this machine's clock",
  TooManyUnrevealedCommits: "wait until a commit is revealed",
  SubnetNotExists: "check --netuid",
  SubNetworkDoesNotExist: "check --netuid",
  MechanismDoesNotExist: "check --netuid",
  HotKeyAlreadyRegisteredInSubNet: "the hotkey has a uid already",
  SubNetRegistrationDisabled: "the subnet takes no registrations now",
  TooManyRegistrationsThisBlock: "try again in a few blocks",
  TooManyRegistrationsThisInterval: "try again in some minutes",
  BalanceTooLow: "the coldkey needs more TAO",
  NotEnoughBalanceToStake: "the coldkey needs more TAO",
  InsufficientBalance: "the account needs more TAO",
  FundsUnavailable: "the account needs more TAO",
  NotExpendable: "the account has to keep what it needs to stay alive",
  // Newer runtimes take a hotkey's fees from its coldkey.
  Payment: "the account that pays the fee, the signer or the hotkey's coldkey, needs TAO",
  ColdkeyInSwapSchedule: "the coldkey's swap is announced: until then only that is taken from it",
  ColdkeySwapDisputed: "the coldkey's swap is disputed: until that is settled it is locked",
};

/**
 * `CustomTransactionError` by number, as far as spec 424 and all later ones agree. Above it they
 * number differently.
 */
const CUSTOM_SINCE = 424;
const CUSTOM: Readonly<Record<number, string>> = {
  0: "ColdkeyInSwapSchedule",
  1: "StakeAmountTooLow",
  2: "BalanceTooLow",
  3: "SubnetNotExists",
  4: "HotkeyAccountDoesntExist",
  5: "NotEnoughStakeToWithdraw",
  6: "RateLimitExceeded",
  7: "InsufficientLiquidity",
  8: "SlippageTooHigh",
  9: "TransferDisallowed",
  10: "HotKeyNotRegisteredInNetwork",
  11: "InvalidIpAddress",
  12: "ServingRateLimitExceeded",
  13: "InvalidPort",
  14: "ZeroMaxAmount",
  15: "InvalidRevealRound",
  16: "CommitNotFound",
  17: "CommitBlockNotInRevealRange",
  18: "InputLengthsUnequal",
  19: "UidNotFound",
  20: "EvmKeyAssociateRateLimitExceeded",
  21: "ColdkeySwapDisputed",
  22: "InvalidRealAccount",
  23: "FailedShieldedTxParsing",
  24: "InvalidShieldedTxPubKeyHash",
  255: "BadRequest",
};

/** Runtimes before there was alpha: a number for each call, and few reasons. */
const CUSTOM_OLD_UNTIL = 218;
const CUSTOM_OLD: Readonly<Record<number, string>> = {
  0: "ColdkeyInSwapSchedule",
  // Of a commit, a reveal, and weights that are set.
  1: "NotEnoughStakeToSetWeights",
  2: "NotEnoughStakeToSetWeights",
  3: "NotEnoughStakeToSetWeights",
  5: "TooManyRegistrationsThisInterval",
};

/** A call that its block refused. */
export function dispatchRefusal(doing: string, error: DispatchError, place: Place): AppError {
  if (error.isModule) {
    return refusal(doing, error.registry.findMetaError(error.asModule).name, place);
  }
  return refusal(doing, error.isToken ? error.asToken.type : error.type, place);
}

/**
 * The node's refusal of a transaction: in words, or as the runtime's own value
 * in JSON where the node is one that only runs the runtime.
 * @param spec the runtime's version, which the numbers depend on.
 */
export function poolRefusal(
  doing: string,
  error: unknown,
  spec: number,
  place: Place,
): AppError {
  const words = reason(error);
  const [, custom] = /"custom":\s*(\d+)|Custom error:\s*(\d+)/.exec(words)?.filter(Boolean) ?? [];
  if (/"payment"|Inability to pay/.test(words)) return refusal(doing, "Payment", place, error);
  if (custom === undefined) {
    return new AppError("chain_refused", `Cannot ${doing}: the node refused it (${words})`, {
      cause: error,
    });
  }
  return refusal(
    doing,
    customName(Number(custom), spec) ?? `its custom error ${custom}`,
    place,
    error,
  );
}

function customName(custom: number, spec: number): string | undefined {
  if (spec >= CUSTOM_SINCE) return CUSTOM[custom];
  return spec <= CUSTOM_OLD_UNTIL ? CUSTOM_OLD[custom] : undefined;
}

/**
 * The node reads the bytes otherwise than they were written (bad format, verification error, bad
 * proof): it may run another runtime.
 */
export function isRuntimeRefusal(error: unknown): boolean {
  return /^100[12]: |^1010: .*(bad signature|"badProof")/i.test(reason(error));
}

/** The account's nonce was used (stale, imported, taken): or another program signs with this key. */
export function isNonceRefusal(error: unknown): boolean {
  return /^101[34]: |^1010: .*(outdated|stale)/i.test(reason(error));
}

function refusal(doing: string, name: string, place: Place, cause?: unknown): AppError {
  const remedy = remedyOf(name, place);
  const code: ErrorCode = /NotRegistered|UidNotFound/.test(name)
    ? "not_registered"
    : "chain_refused";
  return new AppError(
    code,
    `Cannot ${doing}: the chain says ${name}${remedy ? `; ${remedy}` : ""}`,
    { cause },
  );
}

function remedyOf(name: string, place: Place): string | undefined {
  if (UNREGISTERED.includes(name)) return `register the hotkey: ${registerCommand(place)}`;
  if (TOO_LITTLE_STAKE.includes(name)) return `add stake to the hotkey: ${stakeCommand(place)}`;
  return REMEDIES[name];
}
