import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { AppError } from "../../../core/error.ts";
import { type GatewayParts, goesOn } from "../routes/mod.ts";
import type { Job, JobImage } from "../store/mod.ts";
import type { OpenAiCall } from "./image_call.ts";
import { errorOfFailure, openAiBody } from "./openai_error.ts";

/** What decides the shape of an answer. */
export interface Asked {
  readonly call: OpenAiCall;
  /** The beginning of its events' names. */
  readonly what: string;
  /** An absolute address that opens an image without a key. */
  readonly urlOf: (n: number) => string;
}

/** @throws AppError of the job's failure. */
export async function answerOf(
  job: Job,
  { jobs }: Pick<GatewayParts, "jobs">,
  { call, urlOf }: Asked,
): Promise<Record<string, unknown>> {
  if (job.failure) throw errorOfFailure(job.failure);
  if (job.state === "cancelled") throw cancelled(job);
  const data = await Promise.all(
    job.images.map(async ({ n }) =>
      call.response_format === "url"
        ? { url: urlOf(n) }
        : { b64_json: (await jobs.image(job, n)).toBase64() }
    ),
  );
  return { created: Math.floor(job.created / 1000), data, ...facts(job, call), usage: NO_TOKENS };
}

/** Images as events: what of them is to be seen already, and each when it is there. */
export function streamOf(
  context: Context,
  { owner, id, created }: Job,
  { jobs }: Pick<GatewayParts, "jobs">,
  { call, what }: Asked,
): Response {
  // Or nginx sends all events at once, when the last is there.
  context.header("x-accel-buffering", "no");
  return streamSSE(context, async (stream) => {
    const left = new AbortController();
    stream.onAbort(() => {
      left.abort();
      jobs.cancel(owner, id);
    });
    const send = async (name: string, data: Record<string, unknown>) => {
      const type = `${what}.${name}`;
      const created_at = Math.floor(created / 1000);
      await stream.writeSSE({ event: type, data: JSON.stringify({ type, ...data, created_at }) });
    };
    const fail = (error: unknown) =>
      stream.writeSSE({ event: "error", data: JSON.stringify(openAiBody(error)) });
    const partials = new Map<number, number>();
    using watcher = jobs.watch(owner, id);
    for (let event; (event = await watcher.next(left.signal));) {
      if (event.type === "progress" && event.progress.preview !== undefined) {
        const sent = partials.get(event.image) ?? 0;
        if (sent >= call.partial_images) continue;
        partials.set(event.image, sent + 1);
        const b64_json = event.progress.preview.replace(/^data:[^,]*,/, "");
        const job = jobs.get(owner, id);
        await send("partial_image", { b64_json, partial_image_index: sent, ...facts(job, call) });
      } else if (event.type === "image" && event.image.state === "done") {
        const b64_json = await base64Of(event.job, event.image, jobs);
        await send("completed", { b64_json, ...facts(event.job, call), usage: NO_TOKENS });
      } else if (event.type === "end") {
        const { failure, state } = event.job;
        if (failure) await fail(errorOfFailure(failure));
        return state === "cancelled" ? await fail(cancelled(event.job)) : undefined;
      }
    }
    if (!left.signal.aborted) await fail(goesOn({ id }));
  });
}

function cancelled({ id }: Pick<Job, "id">): AppError {
  return new AppError("cancelled", `Cannot give the images: the job ${id} was cancelled`);
}

async function base64Of(
  job: Job,
  { n }: JobImage,
  jobs: GatewayParts["jobs"],
): Promise<string> {
  return (await jobs.image(job, n)).toBase64();
}

function facts({ images }: Job, { output_format, quality }: OpenAiCall) {
  const { width, height } = images[0].request;
  return { background: "opaque", output_format, size: `${width}x${height}`, quality };
}

/** Nothing here is counted in tokens. */
const NO_TOKENS = {
  ...{ total_tokens: 0, input_tokens: 0, output_tokens: 0 },
  input_tokens_details: { text_tokens: 0, image_tokens: 0 },
};
