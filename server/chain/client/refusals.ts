import type { DispatchError } from "@polkadot/types/interfaces";
import { AppError, type ErrorCode, reason } from "../../../core/error.ts";

/** What to do about an error of the runtime, by its name. */
const REMEDIES: Readonly<Record<string, string>> = {
  HotKeyNotRegisteredInSubNet: "register the hotkey: btcli subnets register --netuid N",
  HotKeyNotRegisteredInNetwork: "register the hotkey: btcli subnets register --netuid N",
  UidNotFound: "register the hotkey: btcli subnets register --netuid N",
  NotEnoughStakeToSetWeights: "add stake to the hotkey: btcli stake add",
  StakeAmountTooLow: "add stake to the hotkey: btcli stake add",
  NeuronNoValidatorPermit: "a permit goes to the hotkeys with most stake: add stake",
  SettingWeightsTooFast: "wait for the subnet's weights rate limit to pass",
  CommittingWeightsTooFast: "wait for the subnet's weights rate limit to pass",
  RateLimitExceeded: "wait for the subnet's rate limit to pass",
  ServingRateLimitExceeded: "wait for the subnet's serving rate limit to pass",
  IncorrectWeightVersionKey: "this validator is older than the subnet demands: update it",
  InvalidIpAddress: "give an address that others can reach with --axon.external_ip",
  InvalidIpType: "give an IPv4 or IPv6 address with --axon.external_ip",
  InvalidPort: "give a port from 1 to 65535 with --axon.external_port",
  RevealTooEarly: "reveal in the epoch that the subnet's reveal period names",
  ExpiredWeightCommit: "the commit's epoch is over: commit again",
  CommitBlockNotInRevealRange: "the commit's epoch has not come, or is over",
  CommitNotFound: "uids, values, salt and version key must be those of the commit",
  InvalidRevealCommitHashNotMatch: "uids, values, salt and version key must be those of the commit",
  InvalidRevealRound: "the reveal round is already public: look at this machine's clock",
  TooManyUnrevealedCommits: "wait until a commit is revealed",
  SubnetNotExists: "look at --netuid",
  HotKeyAlreadyRegisteredInSubNet: "the hotkey has a uid already",
  BalanceTooLow: "the coldkey needs more TAO",
  NotEnoughBalanceToStake: "the coldkey needs more TAO",
  TooManyRegistrationsThisBlock: "try again in a few blocks",
  InsufficientBalance: "the account needs more TAO",
};

/** `CustomTransactionError` by number, as of spec 424. Other runtimes number them otherwise. */
const CUSTOM_SINCE = 424;
const CUSTOM: Readonly<Record<number, string>> = {
  0: "ColdkeyInSwapSchedule",
  1: "StakeAmountTooLow",
  2: "BalanceTooLow",
  3: "SubnetNotExists",
  4: "HotkeyAccountDoesntExist",
  6: "RateLimitExceeded",
  10: "HotKeyNotRegisteredInNetwork",
  11: "InvalidIpAddress",
  12: "ServingRateLimitExceeded",
  13: "InvalidPort",
  15: "InvalidRevealRound",
  16: "CommitNotFound",
  17: "CommitBlockNotInRevealRange",
  18: "InputLengthsUnequal",
  19: "UidNotFound",
  255: "BadRequest",
};

/** A call that its block refused. */
export function dispatchRefusal(doing: string, error: DispatchError): AppError {
  if (!error.isModule) return refusal(doing, error.type);
  const { name } = error.registry.findMetaError(error.asModule);
  return refusal(doing, name);
}

/**
 * What the node said of a transaction that it did not take.
 * @param spec the runtime's version, which the numbers depend on.
 */
export function poolRefusal(doing: string, error: unknown, spec: number): AppError {
  const said = reason(error);
  const [, custom] = /"custom":\s*(\d+)|Custom error:\s*(\d+)/.exec(said)?.filter(Boolean) ?? [];
  if (custom === undefined) {
    return new AppError("chain_refused", `Cannot ${doing}: the node refused it (${said})`, {
      cause: error,
    });
  }
  const name = spec >= CUSTOM_SINCE ? CUSTOM[Number(custom)] : undefined;
  return refusal(doing, name ?? `its custom error ${custom}`, error);
}

/**
 * The node reads the bytes otherwise than they were written (bad format, verification error, bad
 * proof): it may run another runtime.
 */
export function isRuntimeRefusal(error: unknown): boolean {
  return /^100[12]: |^1010: .*bad signature/i.test(reason(error));
}

/** The account's nonce was used (stale, imported, taken): or somebody else signs with this key. */
export function isNonceRefusal(error: unknown): boolean {
  return /^101[34]: |^1010: .*(outdated|stale)/i.test(reason(error));
}

function refusal(doing: string, name: string, cause?: unknown): AppError {
  const remedy = REMEDIES[name];
  const code: ErrorCode = /NotRegistered|UidNotFound/.test(name)
    ? "not_registered"
    : "chain_refused";
  return new AppError(
    code,
    `Cannot ${doing}: the chain says ${name}${remedy ? `; ${remedy}` : ""}`,
    { cause },
  );
}
