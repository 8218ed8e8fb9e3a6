/** What can go wrong, as a stable code that callers, logs, tests and the wire match. */
export type ErrorCode =
  | "invalid_request"
  | "invalid_config"
  | "unsupported_setting"
  | "shape_mismatch"
  | "model_not_found"
  | "model_invalid"
  | "download_failed"
  | "storage_failed"
  | "host_unavailable"
  | "host_failed"
  | "gpu_failed"
  | "device_lost"
  | "inference_failed"
  | "encoding_failed"
  | "json_invalid"
  | "address_invalid"
  | "transcript_invalid"
  | "not_found"
  | "method_not_allowed"
  | "transcript_not_found"
  | "receipt_invalid"
  | "receipt_mismatch"
  | "signature_invalid"
  | "opening_invalid"
  | "opening_mismatch"
  | "opening_withheld"
  | "proof_invalid"
  | "not_finite"
  | "challenge_invalid"
  | "commit_invalid"
  | "chain_unreachable"
  | "chain_invalid"
  | "chain_refused"
  | "clock_wrong"
  | "wallet_not_found"
  | "wallet_invalid"
  | "not_registered"
  | "address_in_use"
  | "request_unsigned"
  | "request_stale"
  | "request_replayed"
  | "request_too_large"
  | "request_late"
  | "not_allowed"
  | "queue_full"
  | "rate_limited"
  | "not_ready"
  | "miner_failed"
  | "no_miner"
  | "cancelled";

/** The one error type. Its sentence has one shape: "Cannot X: Y is Z". */
export class AppError extends Error {
  override readonly name = "AppError";

  constructor(readonly code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
  }
}

/** The words of anything thrown, an event of a socket too, for the `Y is Z` half of a sentence. */
export function reason(error: unknown): string {
  return hasMessage(error) ? error.message : String(error);
}

function hasMessage(error: unknown): error is { readonly message: string } {
  return typeof error === "object" && error !== null && "message" in error &&
    typeof error.message === "string";
}

/** @throws AppError `cancelled` once the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) {
    throw new AppError("cancelled", `Cannot ${doing}: it was cancelled`, { cause: signal.reason });
  }
}
