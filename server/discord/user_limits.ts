import { RateLimit, RetryLater } from "../http/mod.ts";

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
  readonly #open = new Map<string, number>();

  constructor({ perHour, atOnce, now }: LimitOptions) {
    this.#rate = new RateLimit("make an image for you", perHour, HOUR_MS, now);
    this.#atOnce = atOnce;
  }

  /** @returns what to dispose of when it is made. @throws RetryLater. */
  take(user: string): Disposable {
    const open = this.#open.get(user) ?? 0;
    if (open >= this.#atOnce) {
      const why = `${open} ${open === 1 ? "is" : "are"} being made for you already`;
      throw new RetryLater("rate_limited", `Cannot make another image: ${why}`, LOOK_AGAIN_S);
    }
    this.#rate.take(user);
    this.#open.set(user, open + 1);
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        const now = (this.#open.get(user) ?? 1) - 1;
        if (now > 0) this.#open.set(user, now);
        else this.#open.delete(user);
      },
    };
  }
}
