import type { Jobs } from "../jobs/mod.ts";
import type { Job } from "../store/mod.ts";
import { timestampOf } from "./info.ts";

/** What clients poll while an image is made. @param job undefined while nothing is made. */
export function progressOf(
  job: Job | undefined,
  jobs: Pick<Jobs, "progressOf" | "placeOf">,
  { now, withImage }: { readonly now: number; readonly withImage: boolean },
): unknown {
  const images = job?.images ?? [];
  const done = images.filter(({ seq }) => seq !== undefined).length;
  const steps = images.map(({ n }) => job && jobs.progressOf(job.id, n));
  const parts = steps.reduce((sum, each) => sum + (each ? each.step / each.steps : 0), 0);
  const progress = images.length === 0 ? 0 : Math.min((done + parts) / images.length, 1);
  const running = steps.find((each) => each);
  const preview = steps.findLast((each) => each?.preview)?.preview;
  return {
    ...{ progress, eta_relative: job ? etaOf(job, progress, now, jobs) : 0 },
    state: {
      ...{ skipped: false, interrupted: false, stopping_generation: false },
      ...{ job: job?.id ?? "", job_count: images.length, job_no: done },
      job_timestamp: timestampOf(new Date(job?.created ?? now)),
      ...{ sampling_step: running?.step ?? 0, sampling_steps: running?.steps ?? 0 },
    },
    // Clients take raw base64.
    current_image: withImage && preview ? preview.replace(/^data:[^,]*,/, "") : null,
    textinfo: null,
  };
}

/** Seconds, by how long it took so far. */
function etaOf(job: Job, progress: number, now: number, jobs: Pick<Jobs, "placeOf">): number {
  if (job.started === undefined) return (jobs.placeOf(job)?.waitMs ?? 0) / 1000;
  return progress > 0 ? (now - job.started) / 1000 * (1 / progress - 1) : 0;
}
