import { AppError, type ErrorCode } from "../../core/error.ts";
import type { ErrorAnswer } from "../../core/protocol/mod.ts";

/** Statuses of errors that are the caller's, or a matter of time. All others are 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  invalid_config: 400,
  unsupported_setting: 400,
  json_invalid: 400,
  challenge_invalid: 400,
  request_unsigned: 401,
  request_stale: 401,
  request_replayed: 401,
  signature_invalid: 401,
  not_allowed: 403,
  not_found: 404,
  transcript_not_found: 404,
  method_not_allowed: 405,
  request_late: 408,
  cancelled: 409,
  request_too_large: 413,
  queue_full: 429,
  rate_limited: 429,
  not_ready: 503,
  no_miner: 503,
};

/** A refusal that gets better with time. */
export class RetryLater extends AppError {
  /** @param seconds after which it is worth another try. */
  constructor(
    code: ErrorCode,
    message: string,
    readonly seconds: number,
    options?: { readonly cause?: unknown },
  ) {
    super(code, message, options);
  }
}

/** An error as every route answers it. Our own mistakes are not told to strangers. */
export function errorResponse(error: unknown, log: (error: unknown) => void): Response {
  const status = error instanceof AppError ? STATUS[error.code] ?? 500 : 500;
  if (status === 500) log(error);
  const answer: ErrorAnswer = {
    error: error instanceof AppError
      ? { code: error.code, message: error.message }
      : { code: "internal", message: "Cannot answer: something is wrong here" },
  };
  const headers = new Headers();
  // What is still on its way is not waited for.
  if (status === 408) headers.set("connection", "close");
  if (error instanceof RetryLater) headers.set("retry-after", String(Math.ceil(error.seconds)));
  return Response.json(answer, { status, headers });
}
