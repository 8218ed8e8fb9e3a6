import { readAtMost } from "../../core/bounded_body.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { z } from "zod";
import { AppError, reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";

/** Milliseconds from reading to reading, and for one. */
const EVERY_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 2 ** 20;

const listSchema = z.union([
  z.array(z.string().max(64)),
  z.object({ hotkeys: z.array(z.string().max(64)) }).transform(({ hotkeys }) => hotkeys),
]);

/**
 * Callers that may always ask: those named at the start, and those of a list at an address, which is read
 * again now and then. A list that cannot be read stays as it was.
 */
export class Whitelist implements Disposable {
  readonly #named: ReadonlySet<string>;
  #listed: ReadonlySet<string>;
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(named: readonly string[], listed: ReadonlySet<string>, reread?: () => void) {
    this.#named = new Set(named);
    this.#listed = listed;
    this.#timer = reread && setInterval(reread, EVERY_MS);
  }

  /**
   * @param url of a JSON list of SS58 addresses, or of an object that has one as `hotkeys`.
   * @throws AppError `download_failed` when the first reading fails.
   */
  static async open(
    named: readonly string[],
    url: string | undefined,
    log: Log,
  ): Promise<Whitelist> {
    if (url === undefined) return new Whitelist(named, new Set());
    const whitelist: Whitelist = new Whitelist(named, await read(url), () => {
      read(url).then((listed) => whitelist.#listed = listed)
        .catch((error) => log("whitelist not read", { error: reason(error) }, "warn"));
    });
    return whitelist;
  }

  has(hotkey: string): boolean {
    return this.#named.has(hotkey) || this.#listed.has(hotkey);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

async function read(url: string): Promise<ReadonlySet<string>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const bytes = await readAtMost(response, MAX_BYTES);
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    if (!bytes) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
    return new Set(listSchema.parse(parseJsonText(new TextDecoder().decode(bytes))));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? "it is no JSON list of addresses" : reason(cause);
    throw new AppError("download_failed", `Cannot read the whitelist of ${url}: ${why}`, { cause });
  }
}
