import { AppError } from "../../../core/error.ts";
import { canonicalJson } from "../../../core/transcript/mod.ts";
import { sha256Of } from "../../storage/mod.ts";
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
    const text = canonicalJson(JSON.parse(JSON.stringify(call)));
    return { key, asked: sha256Of(new TextEncoder().encode(text)) };
  }
  const message = `Cannot take the job: Idempotency-Key has not 1 to ${MAX_KEY} characters`;
  throw new AppError("invalid_request", message);
}
