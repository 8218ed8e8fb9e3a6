/** Why a transaction does not enter the pool, by the runtime's number. */
export const CUSTOM = {
  StakeAmountTooLow: 1,
  RateLimitExceeded: 6,
  HotKeyNotRegisteredInNetwork: 10,
  InvalidIpAddress: 11,
  ServingRateLimitExceeded: 12,
  InvalidPort: 13,
  InvalidRevealRound: 15,
  CommitNotFound: 16,
  CommitBlockNotInRevealRange: 17,
  BadRequest: 255,
} as const;

/** A transaction that the pool refuses. The message is what the node's RPC says with it. */
export class PoolRefusal extends Error {
  constructor(readonly code: number, message: string, readonly data?: string) {
    super(message);
  }

  static custom(name: keyof typeof CUSTOM): PoolRefusal {
    return new PoolRefusal(1010, JSON.stringify({ invalid: { custom: CUSTOM[name] } }));
  }

  static invalid(data: string): PoolRefusal {
    return new PoolRefusal(1010, "Invalid Transaction", data);
  }
}

/**
 * A call that fails in its block: `System.ExtrinsicFailed` carries it.
 * @param pallet "Token" for a `TokenError`; undefined for what `DispatchError` itself names, as
 * `CannotLookup`.
 */
export class DispatchFailure extends Error {
  constructor(readonly error: string, readonly pallet?: string) {
    super(`${pallet ?? "DispatchError"}.${error}`);
  }
}

export function fail(error: string, pallet = "SubtensorModule"): never {
  throw new DispatchFailure(error, pallet);
}
