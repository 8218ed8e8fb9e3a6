import { AppError, reason, throwIfAborted } from "../error.ts";

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** How to reach servers; times are in milliseconds. */
export interface Transport {
  readonly fetch: Fetch;
  /**
   * `manual` (the default) sees each redirect, which is where a hub states a file's SHA-256. A
   * browser hides redirects from its pages: give `follow` there.
   */
  readonly redirect?: "manual" | "follow";
  /** Sent to this origin and to no other, so not to the servers it redirects to. */
  readonly credentials?: { readonly origin: string; readonly token: string };
  /** A request that brings no byte for so long is given up and made again. Default 30,000. */
  readonly stallMs?: number;
  /** Failures in a row, without a byte gained, after which to give up. Default 6. */
  readonly attempts?: number;
  /** The pause after the first failure; doubles with each, up to 30,000. Default 500. */
  readonly backoffMs?: number;
}

/** An answer, with what the hub said of the file on the way to it. */
export interface Answer {
  readonly response: Response;
  /** The last of each header over all redirects. */
  readonly header: (name: string) => string | undefined;
}

/** Not an error yet: try again, after at least `afterMs`. */
export class Retry {
  constructor(readonly why: string, readonly afterMs = 0) {}
}

const MAX_REDIRECTS = 10;
const MAX_BACKOFF_MS = 30_000;
const MAX_RETRY_AFTER_MS = 120_000;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Sends a request and walks along its redirects. Network errors are thrown as fetch throws them. */
export async function send(
  transport: Transport,
  url: string,
  init: { method?: "GET" | "HEAD"; headers?: Record<string, string>; signal: AbortSignal },
): Promise<Answer> {
  const hops: Headers[] = [];
  for (let at = url; hops.length <= MAX_REDIRECTS;) {
    const response = await transport.fetch(at, {
      ...init,
      redirect: transport.redirect ?? "manual",
      headers: { ...init.headers, ...authorization(transport, at) },
    });
    hops.unshift(response.headers);
    const next = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || next === null) {
      return { response, header: (name) => firstHeader(hops, name) };
    }
    await response.body?.cancel();
    at = new URL(next, at).href;
  }
  throw new AppError(
    "download_failed",
    `Cannot fetch ${url}: it redirects more than ${MAX_REDIRECTS} times`,
  );
}

function authorization({ credentials }: Transport, url: string): Record<string, string> {
  if (!credentials || new URL(url).origin !== credentials.origin) return {};
  return { authorization: `Bearer ${credentials.token}` };
}

function firstHeader(hops: readonly Headers[], name: string): string | undefined {
  return hops.map((headers) => headers.get(name)).find((value) => value !== null) ?? undefined;
}

/** Aborts a request whose server says nothing for `stallMs`, or when the caller's signal does. */
export class Watchdog implements Disposable {
  readonly #ms: number;
  readonly #stalled = new AbortController();
  readonly signal: AbortSignal;
  // A body that does not listen to the signal must not keep us waiting either.
  readonly #aborted: Promise<never>;
  #onAbort: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ stallMs = 30_000 }: Transport, signal?: AbortSignal) {
    this.#ms = stallMs;
    const own = this.#stalled.signal;
    this.signal = signal ? AbortSignal.any([signal, own]) : own;
    this.#aborted = new Promise((_, reject) => {
      this.#onAbort = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", this.#onAbort, { once: true });
    });
    this.#aborted.catch(() => {});
  }

  /** Waits for the server; the time that the caller's own work takes is not counted. */
  async during<T>(wait: Promise<T>): Promise<T> {
    const stalled = new Error(`the server sent nothing for ${this.#ms / 1000} s`);
    this.#timer = setTimeout(() => this.#stalled.abort(stalled), this.#ms);
    try {
      return await Promise.race([wait, this.#aborted]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.signal.removeEventListener("abort", this.#onAbort);
  }
}

/** How a repeated attempt reports and waits. */
export interface RetryHooks {
  /** For messages: "download unet/model.onnx of hf:a/b". */
  readonly doing: string;
  readonly signal?: AbortSignal;
  readonly onRetry?: (message: string) => void;
  /** Grows as work gets done; failures count only while it does not. */
  readonly mark?: () => number;
}

/**
 * Attempts until it succeeds. A {@link Retry} or a thrown network error is tried again; an AppError
 * is final.
 * @throws AppError `cancelled`, `download_failed` after too many failures in a row.
 */
export async function withRetries<T>(
  transport: Transport,
  hooks: RetryHooks,
  attempt: () => Promise<T | Retry>,
): Promise<T> {
  const { attempts = 6, backoffMs = 500 } = transport;
  let best = hooks.mark?.() ?? 0;
  for (let failures = 1;; failures++) {
    const outcome = await settle(attempt, hooks);
    if (!(outcome instanceof Retry)) return outcome;
    const mark = hooks.mark?.() ?? 0;
    if (mark > best) failures = 1;
    best = Math.max(best, mark);
    if (failures >= attempts || outcome.afterMs > MAX_RETRY_AFTER_MS) throw gaveUp(hooks, outcome);
    const pause = Math.max(
      outcome.afterMs,
      Math.min(backoffMs * 2 ** (failures - 1), MAX_BACKOFF_MS),
    );
    hooks.onRetry?.(`${outcome.why}; trying again in ${pause / 1000} s`);
    await sleep(pause, hooks);
  }
}

async function settle<T>(attempt: () => Promise<T | Retry>, hooks: RetryHooks): Promise<T | Retry> {
  throwIfAborted(hooks.signal, hooks.doing);
  try {
    return await attempt();
  } catch (error) {
    throwIfAborted(hooks.signal, hooks.doing);
    if (error instanceof AppError) throw error;
    return new Retry(reason(error));
  }
}

function gaveUp({ doing }: RetryHooks, { why, afterMs }: Retry): AppError {
  const asked = afterMs > MAX_RETRY_AFTER_MS ? ` and asks to wait ${afterMs / 1000} s` : "";
  return new AppError(
    "download_failed",
    `Cannot ${doing}: ${why}${asked}. What has come is kept: run it again to resume`,
  );
}

async function sleep(ms: number, { signal, doing }: RetryHooks): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
  throwIfAborted(signal, doing);
}

/**
 * What to do about an answer that is not the file: try again where it may be another next time.
 * @throws AppError `download_failed` when it will stay.
 */
export function retryOrThrow({ status, headers }: Response, doing: string): Retry {
  const passing = status === 408 || status === 425 || status === 429 || status >= 500;
  if (!passing) throw refusal(status, doing);
  return new Retry(`the server answered ${status}`, retryAfterMs(headers.get("retry-after")));
}

/** `Retry-After` is seconds or a date. @see RFC 9110, section 10.2.3. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

function refusal(status: number, doing: string): AppError {
  if (status === 401 || status === 403) {
    return new AppError(
      "download_failed",
      `Cannot ${doing}: the server answered ${status}. If it is private or gated, accept its terms ` +
        "on the model's page, and set HF_TOKEN to a token of yours or log in with `hf auth login`",
    );
  }
  return new AppError("download_failed", `Cannot ${doing}: the server answered ${status}`);
}
