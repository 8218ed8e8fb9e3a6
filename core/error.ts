import type { ErrorCode } from "./error_codes.ts";

export type { ErrorCode } from "./error_codes.ts";

/** The one error type. Its sentence has one shape: "Cannot X: Y is Z". */
export class AppError extends Error {
  override readonly name = "AppError";
  /** The field of a request or setting that has to change, where it is one: `guidanceScale`. */
  readonly field: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly field?: string } = {},
  ) {
    super(message, options);
    this.field = options.field;
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
