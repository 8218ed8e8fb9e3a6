import { Held, RateLimit, RetryLater } from "../http/mod.ts";

const HOUR_MS = 3_600_000;
/** Seconds after which it is worth to look whether an image is ready. */
const LOOK_AGAIN_S = 15;

/** What one person may have. Of this process: a restart begins anew. */
export interface LimitOptions {
  readonly perHour: number;
  readonly atOnce: number;
  readonly now: () => number;
}

/** Images of a person in an hour, and at once. */
export class UserLimits {
  readonly #rate: RateLimit;
  readonly #atOnce: number;
  readonly #open = new Held();

  constructor({ perHour, atOnce, now }: LimitOptions) {
    this.#rate = new RateLimit("make an image for you", perHour, HOUR_MS, now);
    this.#atOnce = atOnce;
  }

  /** @returns what to dispose of when it is made. @throws RetryLater. */
  take(user: string): Disposable {
    const open = this.#open.of(user);
    if (open >= this.#atOnce) {
      const why = `${open} ${open === 1 ? "is" : "are"} being made for you already`;
      throw new RetryLater("rate_limited", `Cannot make another image: ${why}`, LOOK_AGAIN_S);
    }
    this.#rate.take(user);
    return this.#open.take(user);
  }
}
