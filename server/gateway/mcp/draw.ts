import { AppError } from "../../../core/error.ts";
import { errorFacts, isErrorCode } from "../../../core/error_codes.ts";
import { inputFormat } from "../../../core/image/mod.ts";
import { decodeRequest, randomSeed } from "../../../core/request/mod.ts";
import { shapesOf } from "../files/mod.ts";
import { type GatewayParts, goesOn, takeOrder } from "../routes/mod.ts";
import { type ApiKey, imagesOfBatch, type Job } from "../store/mod.ts";
import { sha256Of } from "../../storage/mod.ts";
import type { EditInput, GenerateInput } from "./tools.ts";

/** Hears how far it is, 0 to 1. */
type OnProgress = (progress: number) => void;

/** Who waits for a call, and how. */
export interface Caller {
  readonly owner: ApiKey;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** An image for an agent. */
export interface DrawnImage {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly seed: string;
  readonly receipt: string;
  readonly width: number;
  readonly height: number;
}

/** @throws AppError as `takeOrder`, or why no image was made. */
export async function draw(
  parts: GatewayParts,
  input: GenerateInput | EditInput,
  { owner, signal, onProgress }: Caller,
): Promise<DrawnImage[]> {
  const files = "image" in input ? filesOf(input) : {};
  const named = Object.entries(files).map(([name, file]) => ({ name, file, hash: sha256Of(file) }));
  const request = decodeRequest({
    ...{ prompt: input.prompt, negativePrompt: input.negative_prompt, steps: input.steps },
    ...{ width: input.width, height: input.height, guidanceScale: input.guidance_scale },
    ...{ seed: input.seed, ...("count" in input && { batch: input.count }) },
    ...("strength" in input && { strength: input.strength }),
    ...Object.fromEntries(named.map(({ name, hash }) => [name, hash])),
  }, { ...parts.model.defaults, seed: randomSeed() });
  const inputs = new Map(named.map(({ hash, file }) => [hash, file]));
  const requests = imagesOfBatch(request);
  const ready = async () => {
    await shapesOf(owner.id, request, inputs, parts.pictures);
    return { requests, inputs };
  };
  const order = { owner, requests, format: "png" } as const;
  const job = await takeOrder(parts, inputs.size === 0 ? order : { ...order, ready });
  return await imagesOf(parts, await watched(parts, job, { owner, signal, onProgress }));
}

/** Waits for a job, and ends it when nobody waits any more. */
async function watched(
  { jobs }: GatewayParts,
  { id, images }: Job,
  { owner, signal, onProgress }: Caller,
): Promise<Job> {
  using watcher = jobs.watch(owner.id, id);
  const shares = images.map(() => 0);
  for (;;) {
    const event = await watcher.next(signal);
    if (!event) break;
    if (event.type === "end") return event.job;
    if (event.type === "progress") {
      shares[event.image] = event.progress.step / event.progress.steps;
      onProgress(shares.reduce((sum, share) => sum + share, 0) / shares.length);
    }
  }
  if (!signal.aborted) throw goesOn({ id });
  jobs.cancel(owner.id, id);
  throw new AppError("cancelled", "Cannot generate: nobody waits for it any more");
}

async function imagesOf({ jobs }: GatewayParts, job: Job): Promise<DrawnImage[]> {
  if (job.failure) {
    const { code, message } = job.failure;
    throw new AppError(
      isErrorCode(code) && errorFacts(code).status !== 500 ? code : "no_miner",
      message,
    );
  }
  return await Promise.all(
    job.images.flatMap((image) =>
      image.record === undefined ? [] : drawn(jobs, job, image, image.record.id)
    ),
  );
}

async function drawn(
  jobs: GatewayParts["jobs"],
  job: Job,
  { n, request: { seed, width, height } }: Job["images"][number],
  receipt: string,
): Promise<DrawnImage> {
  return { file: await jobs.image(job, n), seed: String(seed), receipt, width, height };
}

function filesOf({ image, mask }: EditInput): Record<string, Uint8Array<ArrayBuffer>> {
  return {
    image: imageBytes(image, "image"),
    ...(mask !== undefined && { mask: imageBytes(mask, "mask") }),
  };
}

/** Base64, or a data URL of it. @throws AppError `invalid_request`. */
export function imageBytes(text: string, field: string): Uint8Array<ArrayBuffer> {
  const base64 = text.startsWith("data:") ? text.slice(text.indexOf(",") + 1) : text;
  try {
    const bytes = Uint8Array.fromBase64(base64);
    if (inputFormat(bytes)) return bytes;
  } catch {
    // Said below.
  }
  throw new AppError(
    "invalid_request",
    `Cannot take the ${field}: it is no PNG, JPEG or WebP in base64`,
    { field },
  );
}
