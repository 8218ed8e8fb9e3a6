import { reason } from "../../core/error.ts";
import { LATENT_SCALE } from "../../core/latent_scale.ts";
import { decodeImage, type RgbaImage } from "../../core/image/mod.ts";
import { encodeRequest } from "../../core/request/mod.ts";
import {
  addressOf,
  callBody,
  decodeGenerationAnswer,
  decodeProgress,
  type ErrorAnswer,
  type GenerationProgress,
  PATHS,
} from "../../core/protocol/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import { EVENT_STREAM, readEvents } from "../http/mod.ts";
import { type Endpoint, errorOf, refusalOf, sendSigned } from "./generation_endpoint.ts";
import type { GenerationTask, Made } from "./image_source.ts";
import type { Job } from "./job_queue.ts";

/** Characters of one event: previews of the largest batch, as base64, leave room. */
const MAX_EVENT = 2 ** 26;

/**
 * Has a generator make what a job asks for, and hands its progress on.
 * @throws AppError as it refuses; Error for one that does not answer as a generator does.
 */
export async function makeAt(
  endpoint: Endpoint,
  job: Job<GenerationTask>,
  hotkey: Hotkey,
  signal: AbortSignal,
): Promise<Made> {
  const body = callBody(callOf(job), job.task.inputs);
  const address = addressOf(endpoint.url, PATHS.generations, {});
  const headers = { accept: EVENT_STREAM };
  const response = await sendSigned(hotkey, address, "POST", { body, headers, signal });
  if (!response.ok) throw await refusalOf(response);
  for await (const { event, json } of readEvents(response, { event: MAX_EVENT })) {
    const made = await takeEvent(job, event, json);
    if (made) return made;
  }
  throw new Error("it ended without an answer");
}

/** The body of the call that has a job done. */
export function callOf({ task, spare }: Job<GenerationTask>): Record<string, unknown> {
  const { request, format, previews, validator } = task;
  return { request: encodeRequest(request), format, previews, validator, spare };
}

/**
 * Takes an event of whoever does a job.
 * @returns what was made, with the last.
 * @throws as {@link makeAt}.
 */
export async function takeEvent(
  { task, onPosition }: Job<GenerationTask>,
  event: string | undefined,
  json: unknown,
): Promise<Made | undefined> {
  if (event === "queued") onPosition?.((json as { readonly position: number }).position);
  if (event === "progress") await emitStep(task, decoded(json, decodeProgress));
  if (event === "error") throw errorOf((json as ErrorAnswer).error);
  return event === "done" ? decoded(json, decodeGenerationAnswer) : undefined;
}

/** An invalid answer is the generator's failure, not the caller's: another is asked. */
function decoded<T>(json: unknown, decode: (json: unknown) => T): T {
  try {
    return decode(json);
  } catch (cause) {
    throw new Error(reason(cause), { cause });
  }
}

async function emitStep(
  { request, onStep }: GenerationTask,
  { step, steps, previews }: GenerationProgress,
): Promise<void> {
  const size = { width: request.width / LATENT_SCALE, height: request.height / LATENT_SCALE };
  const pictures: RgbaImage[] = [];
  for (const picture of previews ?? []) {
    const file = Uint8Array.fromBase64(picture.slice(picture.indexOf(",") + 1));
    pictures.push(await decodeImage(file, "png", size));
  }
  onStep({ index: step - 1, steps, timestep: NaN, preview: () => previews && pictures });
}
