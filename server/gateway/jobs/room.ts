import { RetryLater } from "../../http/mod.ts";
import type { ApiKey, GatewayStore } from "../store/mod.ts";

/** Seconds after which one of a key's jobs may have ended. */
const JOBS_SECONDS = 10;

/** How much each key may still ask for: what it used today, its jobs, and what it waits for without a job. */
export class Room {
  readonly #store: Pick<GatewayStore, "jobs" | "usage">;
  readonly #waiting = new Map<string, { readonly calls: number; readonly images: number }>();

  constructor(store: Pick<GatewayStore, "jobs" | "usage">) {
    this.#store = store;
  }

  /**
   * Whether a key may ask for so many images now.
   * @throws RetryLater `rate_limited` naming the limit.
   */
  check({ id, limits: { imagesPerDay, jobs } }: ApiKey, images: number): void {
    if (imagesPerDay === undefined && jobs === undefined) return;
    const waiting = this.#waiting.get(id) ?? NONE;
    const inJobs = this.#store.jobs.openOf(id);
    const open = inJobs.jobs + waiting.calls;
    if (jobs !== undefined && open >= jobs) {
      const message = `Cannot take the job: ${open} of this key have not ended, and ${jobs} may`;
      throw new RetryLater("rate_limited", message, JOBS_SECONDS);
    }
    const { usage } = this.#store;
    const used = usage.imagesToday(id) + inJobs.images + waiting.images;
    if (imagesPerDay !== undefined && used + images > imagesPerDay) {
      const message = `Cannot take the job: ${used} images of today are used or asked for, and ` +
        `${imagesPerDay} a day are this key's`;
      throw new RetryLater("rate_limited", message, usage.untilTomorrow() / 1000);
    }
  }

  /**
   * Room for a call whose caller waits for it without a job, until it is given back.
   * @throws as {@link check}.
   */
  take(key: ApiKey, images: number): Disposable {
    this.check(key, images);
    this.#add(key.id, 1, images);
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (!given) this.#add(key.id, -1, -images);
        given = true;
      },
    };
  }

  #add(id: string, calls: number, images: number): void {
    const before = this.#waiting.get(id) ?? NONE;
    const now = { calls: before.calls + calls, images: before.images + images };
    if (now.calls > 0) this.#waiting.set(id, now);
    else this.#waiting.delete(id);
  }
}

const NONE = { calls: 0, images: 0 };
