import { RetryLater } from "./error_response.ts";

/** How often a key may be used within a window of time. Keeps the busiest windows only. */
export class RateLimit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #clock: () => number;
  readonly #doing: string;
  readonly #uses = new Map<string, { since: number; count: number }>();

  /** @param doing such as "open". */
  constructor(doing: string, max: number, windowMs: number, clock: () => number = Date.now) {
    this.#doing = doing;
    this.#max = max;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** @param max where it is not everybody's. @throws RetryLater `rate_limited`. */
  take(key: string, max?: number): void {
    this.check(key, max);
    this.count(key);
  }

  /** Whether there is a use left. @throws RetryLater `rate_limited`. */
  check(key: string, max = this.#max): void {
    const now = this.#clock();
    const use = this.#useOf(key, now);
    if (use.count < max) return;
    throw new RetryLater(
      "rate_limited",
      `Cannot ${this.#doing}: ${max} times in ${this.#windowMs / 1000} s is the limit`,
      (use.since + this.#windowMs - now) / 1000,
    );
  }

  /** Counts a use, whether or not one is left. */
  count(key: string): void {
    const now = this.#clock();
    const use = this.#useOf(key, now);
    use.count++;
    // The newest last, so that the oldest are first to go.
    this.#uses.delete(key);
    this.#uses.set(key, use);
    for (const [old, { since }] of this.#uses) {
      if (now - since < this.#windowMs) break;
      this.#uses.delete(old);
    }
  }

  #useOf(key: string, now: number): { readonly since: number; count: number } {
    const known = this.#uses.get(key);
    return known && now - known.since < this.#windowMs ? known : { since: now, count: 0 };
  }
}
