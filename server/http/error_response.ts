import { AppError, type ErrorCode } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import type { ErrorAnswer } from "../../core/protocol/mod.ts";

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

/** An error as every route answers it. Of our own mistakes callers learn only that there was one. */
export function errorResponse(error: unknown, log: (error: unknown) => void): Response {
  const status = error instanceof AppError ? errorFacts(error.code).status : 500;
  if (status === 500) log(error);
  const answer: ErrorAnswer = {
    error: error instanceof AppError
      ? { code: error.code, message: error.message }
      : { code: "internal", message: "Cannot answer: something is wrong here" },
  };
  const headers = new Headers();
  // The rest of the body is not waited for.
  if (status === 408) headers.set("connection", "close");
  if (error instanceof RetryLater) headers.set("retry-after", String(Math.ceil(error.seconds)));
  return Response.json(answer, { status, headers });
}
