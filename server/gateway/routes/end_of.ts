import { pathOf, PATHS } from "../../../core/protocol/mod.ts";
import { RetryLater } from "../../http/mod.ts";
import type { Job } from "../store/mod.ts";
import type { GatewayParts } from "./take_order.ts";

/** Seconds that a restart takes, about. */
const RESTART_SECONDS = 10;

/**
 * Waits for a job's end for somebody who is there. A job whose caller has left is cancelled.
 * @throws RetryLater `not_ready` where this process ends before: the job goes on with the next.
 */
export async function endOf(
  { jobs }: Pick<GatewayParts, "jobs">,
  { owner, id }: Job,
  signal: AbortSignal,
): Promise<Job> {
  const job = await jobs.wait(owner, id, signal);
  if (job.ended !== undefined) return job;
  if (signal.aborted) return jobs.cancel(owner, id);
  throw goesOn(job);
}

/** What a caller is told of a job that outlives the process that it waits for. */
export function goesOn({ id }: Pick<Job, "id">): RetryLater {
  return new RetryLater(
    "not_ready",
    `Cannot answer now: this validator is restarted. The job goes on: ${pathOf(PATHS.job, { id })}`,
    RESTART_SECONDS,
  );
}
