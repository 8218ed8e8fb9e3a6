import { Held, RetryLater } from "../../http/mod.ts";
import { MAX_CALL_BYTES } from "./job_call.ts";

/** Bytes of one key's calls that are in work at once: five of the largest, or a hundred photos. */
export const MAX_OPEN_BYTES = 256 * 2 ** 20;
/** Seconds after which some of them may be answered. */
const SECONDS = 5;

/** What each key has sent and is not answered yet: one key must not fill the memory. */
export class Bodies {
  readonly #open = new Held();

  /**
   * Room for a call's body, to be taken before it is read, and given back with its answer.
   * @param length its header `content-length`; without it the body may be as long as any.
   * @throws RetryLater `rate_limited`.
   */
  take(owner: string, length: string | null | undefined): Disposable {
    const bytes = Math.min(bytesOf(length), MAX_CALL_BYTES);
    const open = this.#open.of(owner);
    if (open + bytes > MAX_OPEN_BYTES) {
      const message = `Cannot take the call: ${open} bytes of this key's calls are not answered ` +
        `yet, and ${MAX_OPEN_BYTES} may be`;
      throw new RetryLater("rate_limited", message, SECONDS);
    }
    return this.#open.take(owner, bytes);
  }
}

function bytesOf(length: string | null | undefined): number {
  return length && /^\d+$/.test(length) ? Number(length) : MAX_CALL_BYTES;
}
