import { AppError } from "../../../core/error.ts";
import { jsonHash } from "../../../core/transcript/mod.ts";
import type { Once } from "../store/mod.ts";

const MAX_KEY = 200;

/**
 * What tells a repeated call from a new one: what it asks for, however it was sent.
 * @param key the header `Idempotency-Key`. @param call as it was read, files by their hashes.
 * @throws AppError `invalid_request`.
 */
export function onceOf(key: string | undefined, call: unknown): Once | undefined {
  if (key === undefined) return undefined;
  if (key.length >= 1 && key.length <= MAX_KEY) {
    return { key, asked: jsonHash(JSON.parse(JSON.stringify(call))) };
  }
  const message = `Cannot take the job: Idempotency-Key has not 1 to ${MAX_KEY} characters`;
  throw new AppError("invalid_request", message);
}
