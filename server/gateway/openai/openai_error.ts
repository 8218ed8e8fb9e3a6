import { AppError } from "../../../core/error.ts";
import { errorFacts, isErrorCode } from "../../../core/error_codes.ts";
import { errorResponse } from "../../http/mod.ts";

/** Codes that OpenAI's clients know; others are ours. */
const CODES: Readonly<Record<string, string>> = {
  request_unsigned: "invalid_api_key",
  rate_limited: "rate_limit_exceeded",
  queue_full: "rate_limit_exceeded",
  content_blocked: "moderation_blocked",
};

/** Something that OpenAI's interface has a code of its own for. */
export class OpenAiError extends AppError {
  constructor(
    readonly openAiCode: string,
    readonly status: number,
    message: string,
    field?: string,
  ) {
    super("invalid_request", message, { field });
  }
}

/** An error in the shape of OpenAI's, of which every field is there. */
export function openAiBody(error: unknown): { readonly error: Readonly<Record<string, unknown>> } {
  const status = statusOf(error);
  if (!(error instanceof AppError) || status === 500) {
    const message = error instanceof AppError ? error.message : "something is wrong here";
    return { error: { message, type: "server_error", param: null, code: "internal" } };
  }
  const code = error instanceof OpenAiError ? error.openAiCode : CODES[error.code] ?? error.code;
  return {
    error: { message: error.message, type: typeOf(status), param: error.field ?? null, code },
  };
}

/** @param failed is called with our own mistakes. */
export function openAiResponse(error: unknown, failed: (error: unknown) => void): Response {
  const { headers } = errorResponse(error, failed);
  headers.delete("content-type");
  headers.delete("content-length");
  return Response.json(openAiBody(error), { status: statusOf(error), headers });
}

/** A job's failure, as the error that it was. */
export function errorOfFailure({ code, message }: { code: string; message: string }): AppError {
  return new AppError(isErrorCode(code) ? code : "host_failed", message);
}

function statusOf(error: unknown): number {
  if (error instanceof OpenAiError) return error.status;
  return error instanceof AppError ? errorFacts(error.code).status : 500;
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
