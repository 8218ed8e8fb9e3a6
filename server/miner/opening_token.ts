import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { writeAtomically } from "../storage/mod.ts";

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

  /** With the secret of this folder, made when it is first needed. */
  static async open(folder: string): Promise<OpeningTokens> {
    const path = join(folder, "opening-secret");
    const kept = await Deno.readFile(path).catch(() => undefined);
    if (kept?.length === SECRET_BYTES) return new OpeningTokens(kept);
    const secret = Uint8Array.from(randomBytes(SECRET_BYTES));
    await writeAtomically(path, secret);
    await Deno.chmod(path, 0o600);
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
