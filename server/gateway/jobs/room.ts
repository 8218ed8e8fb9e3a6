import { RetryLater } from "../../http/mod.ts";
import type { ApiKey, GatewayStore } from "../store/mod.ts";

/** Seconds after which one of a key's jobs may have ended. */
const JOBS_SECONDS = 10;

/**
 * Whether a key may ask for so many images now.
 * @throws RetryLater `rate_limited` naming the limit.
 */
export function checkRoom(
  { id, limits: { imagesPerDay, jobs } }: ApiKey,
  images: number,
  store: Pick<GatewayStore, "jobs" | "usage">,
): void {
  if (imagesPerDay === undefined && jobs === undefined) return;
  const open = store.jobs.openOf(id);
  if (jobs !== undefined && open.jobs >= jobs) {
    const message = `Cannot take the job: ${open.jobs} of this key have not ended, and ${jobs} may`;
    throw new RetryLater("rate_limited", message, JOBS_SECONDS);
  }
  const used = store.usage.imagesToday(id) + open.images;
  if (imagesPerDay !== undefined && used + images > imagesPerDay) {
    const message = `Cannot take the job: ${used} images of today are used or asked for, and ` +
      `${imagesPerDay} a day are this key's`;
    throw new RetryLater("rate_limited", message, store.usage.untilTomorrow() / 1000);
  }
}
