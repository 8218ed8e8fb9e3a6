import type { Job, JobImage } from "../store/mod.ts";

/** What happens to a job, in its order. */
export type JobEvent =
  & {
    /** Where a watcher stands that has seen it; of what is not kept, where it stood before. */
    readonly at: number;
  }
  & (
    | { readonly type: "queued"; readonly place: Place }
    | { readonly type: "progress"; readonly image: number; readonly progress: Progress }
    | { readonly type: "image"; readonly job: Job; readonly image: JobImage }
    | { readonly type: "end"; readonly job: Job }
  );

/** Where a job stands that has not begun. */
export interface Place {
  /** Images that are begun before its first. */
  readonly position: number;
  /** Milliseconds until its first image is begun; undefined while nothing was made yet. */
  readonly waitMs: number | undefined;
}

/** Steps of one image that are done. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** A small picture as a data URL, where the miner gives them. */
  readonly preview?: string;
}

/** Progress in place of an older one that nobody has seen: of its preview nothing newer may be there. */
export function inPlaceOf(old: JobEvent | undefined, event: JobEvent): JobEvent {
  if (event.type !== "progress" || old?.type !== "progress") return event;
  const { preview } = old.progress;
  if (preview === undefined || event.progress.preview !== undefined) return event;
  return { ...event, progress: { ...event.progress, preview } };
}

/** What of a job's events is kept: those of images that have ended, and its own end. */
export function keptEvents(job: Job): JobEvent[] {
  const images = job.images.filter((image) => image.seq !== undefined && !cancelled(image))
    .toSorted((a, b) => Number(a.seq) - Number(b.seq))
    .map((image) => imageEvent(job, image));
  return job.ended === undefined ? images : [...images, endEvent(job)];
}

export function imageEvent(job: Job, image: JobImage): JobEvent {
  return { type: "image", at: image.seq ?? 0, job, image };
}

export function endEvent(job: Job): JobEvent {
  return { type: "end", at: job.images.length + 1, job };
}

/** How many images have ended. */
export function standOf({ images }: Job): number {
  return images.filter(({ seq }) => seq !== undefined).length;
}

function cancelled({ state }: JobImage): boolean {
  return state === "cancelled";
}
