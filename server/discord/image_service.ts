import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { isErrorCode } from "../../core/error_codes.ts";
import { pathOf, PATHS } from "../../core/protocol/mod.ts";
import { readEvents } from "../http/mod.ts";
import { ask, askBytes, askJson, type Remote } from "./remote.ts";

/** Bytes of a job with its receipt, and of an image. */
const [MAX_JOB, MAX_IMAGE] = [4 * 2 ** 20, 48 * 2 ** 20];
/** Characters of an event, which may have a preview. */
const MAX_EVENT = 4 * 2 ** 20;
/** Milliseconds until a stream that was cut off is asked for again. */
const AGAIN_MS = 1000;
/** Milliseconds of a stream: as long as Discord takes an answer. */
const STREAM_MS = 15 * 60 * 1000;

const failure = z.object({ code: z.string(), message: z.string() });
const image = z.object({
  seed: z.string(),
  width: z.int(),
  height: z.int(),
  steps: z.int(),
  receiptId: z.string().optional(),
  receipt: z.looseObject({ request: z.record(z.string(), z.unknown()) }).optional(),
  token: z.string().optional(),
  verdict: z.string().nullish(),
  miner: z.object({ url: z.string() }).optional(),
  notices: z.array(z.string()).optional(),
});
const job = z.object({
  id: z.string().regex(/^[\w-]{1,50}$/),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  images: z.array(image).min(1),
  error: failure.optional(),
});
const progress = z.object({
  step: z.int(),
  steps: z.int(),
  preview: z.string().optional(),
});

/** A job of one image, as the gateway tells of it. */
export type ServedJob = z.infer<typeof job>;
export type ServedProgress = z.infer<typeof progress>;

/** The gateway of a validator, over HTTP, as any application has it. */
export class ImageService {
  readonly #remote: Remote;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(
    remote: Omit<Remote, "name">,
    sleep: (ms: number, signal?: AbortSignal) => Promise<void>,
  ) {
    this.#remote = { ...remote, name: "the image service" };
    this.#sleep = sleep;
  }

  /** @param once asked again by the same text, it is the same job. */
  async start(
    request: Readonly<Record<string, unknown>>,
    once: string,
  ): Promise<ServedJob> {
    return await askJson(this.#remote, PATHS.jobs, job, MAX_JOB, {
      ...{ method: "POST", json: { request, format: "png" } },
      headers: { "idempotency-key": once },
    });
  }

  /** @throws AppError `job_not_found`. */
  async job(id: string, signal?: AbortSignal): Promise<ServedJob> {
    return await askJson(this.#remote, pathOf(PATHS.job, { id }), job, MAX_JOB, { signal });
  }

  async image(id: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const path = pathOf(PATHS.jobImage, { id, n: 0 });
    return await askBytes(this.#remote, path, MAX_IMAGE, { signal });
  }

  async cancel(id: string): Promise<void> {
    const response = await ask(this.#remote, pathOf(PATHS.job, { id }), { method: "DELETE" });
    await response.body?.cancel();
  }

  /**
   * Its progress until it has ended well, over streams that are cut off too.
   * @throws AppError by which the job failed, or the signal's reason.
   */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<ServedProgress> {
    while (true) {
      try {
        yield* this.#stream(id, signal);
      } catch {
        signal.throwIfAborted();
      }
      const { state, error } = await this.job(id, signal);
      if (state === "done") return;
      if (state === "failed" || state === "cancelled") throw failed(error);
      await this.#sleep(AGAIN_MS, signal);
    }
  }

  async *#stream(id: string, signal: AbortSignal): AsyncGenerator<ServedProgress> {
    const path = pathOf(PATHS.jobEvents, { id });
    const response = await ask(this.#remote, path, { signal, withinMs: STREAM_MS });
    for await (const { event, json } of readEvents(response, { event: MAX_EVENT })) {
      if (event === "progress") yield progress.parse(json);
    }
  }
}

function failed(failure: ServedJob["error"]): AppError {
  const { code, message } = failure ?? {};
  return new AppError(
    isErrorCode(code) ? code : "host_failed",
    message ?? "Cannot make the image: it was cancelled",
  );
}
