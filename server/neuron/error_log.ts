import { AppError } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import type { Log } from "../telemetry/mod.ts";

/** What is logged of a request. */
interface Asked {
  readonly method: string;
  /** Without its query, which may hold a token. */
  readonly path: string;
  readonly header: (name: string) => string | undefined;
}

const QUIET_MS = 60_000;
const MAX_KNOWN = 1000;
const MAX_WORDS = 300;

/**
 * Logs what a server did not do for its callers: its own mistakes as errors, and refusals with their
 * code and caller. Anybody can cause refusals, so the same one of the same caller is logged once a
 * minute, and at `debug` in between. An unsigned or badly signed caller is known only by its own claim.
 */
export class ErrorLog {
  readonly #log: Log;
  readonly #clock: () => number;
  /** When a code of a caller was last logged, in milliseconds. */
  readonly #logged = new Map<string, number>();

  constructor(log: Log, clock: () => number = Date.now) {
    this.#log = log;
    this.#clock = clock;
  }

  note(error: unknown, { method, path, header }: Asked): void {
    const caller = /^[A-Za-z0-9]{1,64}$/.exec(header("epistula-signed-by") ?? "")?.[0];
    const code = error instanceof AppError ? error.code : "internal";
    const why = (error instanceof AppError ? error.message : String(error)).slice(0, MAX_WORDS);
    const facts = { code, ...(caller && { caller }), method, path, why };
    if (!(error instanceof AppError) || errorFacts(error.code).status === 500) {
      return this.#log("failed", facts, "error");
    }
    this.#log("refused", facts, this.#isNews(`${code} ${caller}`) ? "info" : "debug");
  }

  #isNews(refusal: string): boolean {
    const now = this.#clock();
    if (now - (this.#logged.get(refusal) ?? -Infinity) < QUIET_MS) return false;
    if (this.#logged.size >= MAX_KNOWN) this.#logged.clear();
    this.#logged.set(refusal, now);
    return true;
  }
}
