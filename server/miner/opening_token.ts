import { counted } from "../../core/counted.ts";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { isMissing, writeAtomically } from "../storage/mod.ts";

const SECRET_BYTES = 32;

/**
 * Tokens that open a receipt's steps: a keyed hash of its id, so that nothing has to be kept for
 * them and a restart honours those that were given.
 */
export class OpeningTokens {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /**
   * With the secret of this folder, made when it is first needed.
   * @throws AppError `storage_failed` for one that cannot be read: another in its place would shut
   * all receipts that were given.
   */
  static async open(folder: string): Promise<OpeningTokens> {
    const path = join(folder, "opening-secret");
    const kept = await readSecret(path);
    if (kept) return new OpeningTokens(kept);
    const secret = Uint8Array.from(randomBytes(SECRET_BYTES));
    await writeAtomically(path, secret, 0o600);
    return new OpeningTokens(secret);
  }

  /** @returns 43 characters of base64url. */
  of(receiptId: string): string {
    return createHmac("sha256", this.#secret).update(receiptId).digest("base64url");
  }

  opens(token: string, receiptId: string): boolean {
    const [given, own] = [token, this.of(receiptId)].map((text) => new TextEncoder().encode(text));
    return given.length === own.length && timingSafeEqual(given, own);
  }
}

/** @returns undefined where there is none. */
async function readSecret(path: string): Promise<Uint8Array | undefined> {
  try {
    const secret = await readFile(path);
    if (secret.length === SECRET_BYTES) return secret;
    throw new Error(`it has ${counted(secret.length, "byte")}, not ${SECRET_BYTES}`);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new AppError(
      "storage_failed",
      `Cannot read the secret of opening tokens in ${path}: ${reason(cause)}; give this user the ` +
        "right to read it, or remove it and with it all tokens that were given",
      { cause },
    );
  }
}
