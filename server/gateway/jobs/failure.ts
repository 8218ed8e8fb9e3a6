import { AppError } from "../../../core/error.ts";
import { errorFacts } from "../../../core/error_codes.ts";
import type { Failure } from "../store/mod.ts";

/** Why an image could not be made, as its user learns it. Of our own mistakes, that it was one. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AppError && !isOurs(error)) {
    return { code: error.code, message: error.message };
  }
  return { code: "internal", message: "Cannot generate: something is wrong at this validator" };
}

/** What is logged, and not told. */
export function isOurs(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  const { blame, status } = errorFacts(error.code);
  return status === 500 && (blame === "us" || blame === "operator");
}
