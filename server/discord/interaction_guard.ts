import { hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../../core/error.ts";
import { readBody } from "../http/mod.ts";

/** Of a body: one with a message's components and embeds is a few dozen kilobytes. */
const MAX_BYTES = 256 * 1024;
/** Milliseconds that Discord waits for an answer; nothing later is worth reading. */
const BODY_MS = 3000;
/** Milliseconds that a timestamp may be off by: Discord sends at once, clocks may differ. */
const MAX_AGE_MS = 120_000;

/** Lets in what Discord signed for this application, once. */
export class InteractionGuard {
  readonly #key: CryptoKey;
  readonly #now: () => number;
  /** Signatures that were used, with when they are too old to be used again, the oldest first. */
  readonly #used = new Map<string, number>();

  private constructor(key: CryptoKey, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /** @param publicKey as the application's page shows it, 64 hex digits. @throws AppError `invalid_request`. */
  static async open(publicKey: string, now: () => number): Promise<InteractionGuard> {
    try {
      const bytes = hexToBytes(publicKey);
      const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
      return new InteractionGuard(key, now);
    } catch (cause) {
      const why = "it is not the 64 hex digits that the application's page shows";
      throw new AppError("invalid_request", `Cannot take --discord.public-key: ${why}`, { cause });
    }
  }

  /**
   * The body of a request, exactly as it was signed.
   * @see https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint
   * @throws AppError `signature_invalid`, `request_stale`, `request_replayed`, `request_too_large`.
   */
  async admit(request: Request): Promise<Uint8Array<ArrayBuffer>> {
    const signature = request.headers.get("x-signature-ed25519") ?? "";
    const timestamp = request.headers.get("x-signature-timestamp") ?? "";
    if (!/^[0-9a-f]{128}$/i.test(signature) || !/^\d{1,12}$/.test(timestamp)) {
      throw new AppError("signature_invalid", "Cannot take the request: it is not signed");
    }
    const body = await readBody(request, MAX_BYTES, BODY_MS);
    const head = new TextEncoder().encode(timestamp);
    const signed = new Uint8Array([...head, ...body]);
    const given = hexToBytes(signature);
    if (!await crypto.subtle.verify("Ed25519", this.#key, given, signed)) {
      throw new AppError("signature_invalid", "Cannot take the request: Discord did not sign it");
    }
    this.#useOnce(`${timestamp} ${signature.toLowerCase()}`, 1000 * Number(timestamp));
    return body;
  }

  /** Only of what is signed: others must not fill the memory. */
  #useOnce(signature: string, at: number): void {
    const now = this.#now();
    if (Math.abs(now - at) > MAX_AGE_MS) {
      throw new AppError("request_stale", "Cannot take the request: its timestamp is too far off");
    }
    for (const [old, until] of this.#used) {
      if (until > now) break;
      this.#used.delete(old);
    }
    if (this.#used.has(signature)) {
      throw new AppError("request_replayed", "Cannot take the request: it was sent before");
    }
    // As long as a timestamp that lies ahead could be taken again.
    this.#used.set(signature, now + 2 * MAX_AGE_MS);
  }
}
