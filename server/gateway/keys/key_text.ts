import { createHash, randomBytes } from "node:crypto";

/** Characters of a key at most. */
export const MAX_KEY_LENGTH = 200;
const BEARER = new RegExp(`^Bearer +(\\S{1,${MAX_KEY_LENGTH}})$`, "i");
const KEY_BYTES = 32;

/** A new key: it cannot be guessed, and is known as one of ours. */
export function newKeyText(): string {
  return `sk-stepwise-${randomBytes(KEY_BYTES).toString("base64url")}`;
}

/** What is kept of a key: it has 256 bits of chance, so nothing slower is needed. */
export function hashOfKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** The key of a header `authorization`; undefined for none, or another scheme. */
export function bearerOf(authorization: string | null | undefined): string | undefined {
  return BEARER.exec(authorization ?? "")?.[1];
}
