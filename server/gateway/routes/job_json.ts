import { z } from "zod";
import { errorFacts, isErrorCode } from "../../../core/error_codes.ts";
import type { Jobs } from "../jobs/mod.ts";
import { type Failure, type Job, type JobImage, runsOf } from "../store/mod.ts";
import type { Links } from "./links.ts";

/** Jobs as JSON, for one who may see them. */
export interface JobView {
  readonly jobs: Pick<Jobs, "placeOf" | "progressOf" | "keepMs">;
  readonly links: Pick<Links, "to">;
}

const state = z.enum(["queued", "running", "done", "failed", "cancelled"]);
const failureShape = z.object({ code: z.string(), message: z.string(), remedy: z.string() });
const time = z.number().meta({ description: "Milliseconds since 1970" });
const image = z.object({
  n: z.int(),
  state,
  seed: z.string(),
  width: z.int(),
  height: z.int(),
  steps: z.int(),
  step: z.int().optional().meta({ description: "Done, while it is made" }),
  preview: z.string().optional().meta({ description: "A data URL, where the miner gives them" }),
  url: z.string().optional().meta({ description: "Opens the file for a day, without a key" }),
  mediaType: z.string().optional(),
  sha256: z.string().optional(),
  receiptId: z.string().optional(),
  receipt: z.unknown().optional(),
  token: z.string().optional().meta({ description: "Opens the receipt's steps at the miner" }),
  witness: z.unknown().optional(),
  verdict: z.string().nullable().optional(),
  miner: z.object({ uid: z.int(), hotkey: z.string(), url: z.string() }).optional(),
  parent: z.unknown().optional().meta({
    description: "Of a refined image: receipt, token and miner of the one that it was made of",
  }),
  notices: z.array(z.string()).optional().meta({ description: "Sentences for the user" }),
  error: failureShape.optional(),
});
const job = z.object({
  id: z.string(),
  state,
  created: time,
  started: time.optional(),
  ended: time.optional(),
  expires: time.optional(),
  position: z.int().optional().meta({ description: "Images that are begun before its first" }),
  waitSeconds: z.number().optional().meta({ description: "Until it is begun, about" }),
  images: z.array(image),
  error: failureShape.optional(),
});
const jobs = z.object({
  jobs: z.array(job),
  next: z.number().nullable().meta({ description: "`before` of the next page" }),
});

/** As JSON Schema, by name. */
export function jobSchemas(): Record<string, unknown> {
  return { Job: z.toJSONSchema(job), Jobs: z.toJSONSchema(jobs) };
}

/** @param full with receipts, and what opens them. */
export function jobJson(
  job: Job,
  view: JobView,
  { full = false } = {},
): z.infer<typeof job> {
  const place = view.jobs.placeOf(job);
  return {
    ...{ id: job.id, state: job.state, created: job.created },
    ...{ started: job.started, ended: job.ended },
    expires: job.ended === undefined ? undefined : job.ended + view.jobs.keepMs,
    ...(place && { position: place.position, waitSeconds: secondsOf(place.waitMs) }),
    images: job.images.map((image) => imageJson(job, image, view, full)),
    error: failureJson(job.failure),
  };
}

/** What is undefined is left out of JSON. */
export function imageJson(
  job: Job,
  { n, state, request, record, sha256, failure }: JobImage,
  { jobs, links }: JobView,
  full: boolean,
): z.infer<typeof image> {
  const { width, height, steps, seed } = runsOf(request, job.refinement).at(-1) ?? request;
  const progress = state === "running" ? jobs.progressOf(job.id, n) : undefined;
  return {
    ...{ n, state, seed: String(seed), width, height, steps: progress?.steps ?? steps },
    ...{ step: progress?.step, preview: progress?.preview, error: failureJson(failure) },
    ...(record && {
      ...{ url: links.to(job.id, n), mediaType: `image/${job.format}`, sha256 },
      ...{
        receiptId: record.id,
        miner: record.miner,
        verdict: record.verdict,
        notices: [...record.notices],
      },
      ...(full && {
        ...{ receipt: record.receipt, token: record.token, witness: record.witness },
        parent: record.parent,
      }),
    }),
  };
}

function failureJson(failure: Failure | undefined): z.infer<typeof failureShape> | undefined {
  if (!failure) return undefined;
  const remedy = isErrorCode(failure.code)
    ? errorFacts(failure.code).remedy
    : "Try again; if it comes back, tell the operator the job's id.";
  return { ...failure, remedy };
}

export function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 100) / 10;
}
