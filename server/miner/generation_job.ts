import { AppError } from "../../core/error.ts";
import type { StepProgress } from "../../core/generation/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import {
  decodeGenerationCall,
  type GenerationAnswer,
  type GenerationCall,
} from "../../core/protocol/mod.ts";
import type { Emit, ReadCall } from "../http/mod.ts";
import { type Log, traced } from "../telemetry/mod.ts";
import type { Screen } from "../safety/mod.ts";
import { counted } from "./counted.ts";
import type { ImageSource, Made } from "./image_source.ts";
import type { MinerMetrics } from "./metrics.ts";
import type { PublicReceipts } from "./public_receipts.ts";

/** Milliseconds from one preview to the next: they cost the miner work, and everybody bytes. */
const PREVIEW_MS = 500;

/** What a job needs of its miner. */
export interface JobParts {
  readonly source: ImageSource;
  readonly metrics: MinerMetrics;
  /** Encodes previews. */
  readonly codec: ImageCodec;
  /** SS58 of this miner. */
  readonly self: string;
  /** Throws for what this miner does not take, though its model could make it. */
  readonly checkRequest: (request: GenerationRequest) => void;
  /** Looks at prompts and images; without it nobody does. */
  readonly screen?: Screen;
  /** Whether this caller's requests wait for all others'; default: nobody's do. */
  readonly comesLast?: (hotkey: string) => boolean;
  /** Receipts for everybody; without it only callers see theirs. */
  readonly shown?: PublicReceipts;
  readonly log: Log;
}

/** Runs when the job's turn comes, and emits its progress where there is a listener. */
export type GenerationJob = (
  emit: Emit | undefined,
  signal: AbortSignal,
) => Promise<GenerationAnswer>;

/**
 * Decodes a call.
 * @param signedBy SS58 of its caller.
 * @throws AppError `invalid_request`, `not_allowed`, before the job waits for anything.
 */
export async function generationJob(
  parts: JobParts,
  signedBy: string,
  { json, inputs }: ReadCall,
): Promise<GenerationJob> {
  const call = decodeGenerationCall(json);
  const validator = validatorOf(call, signedBy, parts.self);
  const { request, source } = await parts.source.requestOf(call, inputs);
  parts.checkRequest(request);
  const told = parts.screen?.request(request) ?? [];
  const id = crypto.randomUUID();
  const run: GenerationJob = async (emit, signal) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const steps = emit ? stepsTo(emit, { id, codec: parts.codec }, call) : () => {};
    const made = await counted(
      async () => {
        const made = await parts.source.run({
          ...{ id, owner: signedBy, caller: validator, signal },
          spare: call.spare || parts.comesLast?.(signedBy) || undefined,
          onPosition: (position) => emit?.("queued", { id, position }),
          task: {
            ...{ request, inputs, source, validator },
            ...{ format: call.format, previews: call.previews },
            onStep: steps,
          },
        });
        const shown = await screened(made, parts);
        return { ...made, notices: [...new Set([...told, ...shown, ...made.notices])] };
      },
      (outcome) =>
        parts.metrics.generated(outcome ?? "done", outcome ? 0 : request.batch, seconds()),
    );
    parts.shown?.add(made.images);
    const ms = Math.round(1000 * seconds());
    parts.log("generated", { id, for: signedBy, images: made.images.length, ms });
    return { id, ...made };
  };
  return (emit, signal) =>
    traced("request", { id, images: request.batch }, () => run(emit, signal));
}

/** @throws AppError `content_blocked`, and nothing of the job is kept then. */
async function screened({ images }: Made, { screen, source }: JobParts): Promise<string[]> {
  if (!screen) return [];
  try {
    const told = images.map(async ({ id }) => screen.image((await source.image(id)).bytes));
    return (await Promise.all(told)).flat();
  } catch (error) {
    await Promise.allSettled(images.map(({ id }) => source.forget(id)));
    throw error;
  }
}

/** Only an axon may say for which validator it calls an image generator. */
function validatorOf(
  { validator }: GenerationCall,
  signedBy: string,
  self: string,
): string {
  if (validator === undefined || signedBy === self) return validator ?? signedBy;
  throw new AppError(
    "not_allowed",
    `Cannot take the request: validator is ${validator}, which only ${self} may say`,
  );
}

/** Emits steps, and now and then what is to be seen already. */
function stepsTo(
  emit: Emit,
  { id, codec }: { readonly id: string; readonly codec: ImageCodec },
  { previews }: GenerationCall,
): (progress: StepProgress) => void {
  let next = previews ? 0 : Infinity;
  return ({ index, steps, preview }) => {
    const step = { id, step: index + 1, steps };
    const now = performance.now();
    const pictures = now >= next ? preview() : undefined;
    if (!pictures) return emit("progress", step);
    next = now + PREVIEW_MS;
    const files = Promise.all(pictures.map((picture) => codec.encode(picture, "png")));
    emit(
      "progress",
      files.then((all) => ({
        ...step,
        previews: all.map((file) => `data:image/png;base64,${file.toBase64()}`),
      })),
    );
  };
}
