import { z } from "zod";
import { AppError } from "../error.ts";
import { showValue, withoutNulls } from "../json_decoding.ts";
import { controlSchema, type ControlUse } from "./control.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import { MAX_SEED, MIN_SIDE, REQUEST_LIMITS } from "../request_limits.ts";

/** What a generation is asked for: decoded once, immutable, and enough to repeat it exactly. */
export interface GenerationRequest {
  readonly prompt: string;
  /** For SDXL's second text encoder; empty means the same as `prompt`. */
  readonly prompt2: string;
  readonly negativePrompt: string;
  /** Empty means the same as `negativePrompt`. */
  readonly negativePrompt2: string;
  /** Pixels, a multiple of 8. */
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  /** Classifier-free guidance; none at 1 or below, as the pair of predictions is then not needed. */
  readonly guidanceScale: number;
  /** Of the first image; image k of a batch has seed + k. Below 2^64. */
  readonly seed: bigint;
  /** A scheduler's name, a `scheduler_config.json` object, or undefined for the model's own. */
  readonly scheduler: string | Readonly<Record<string, unknown>> | undefined;
  /** Images. */
  readonly batch: number;
  /** Write Bittensor's names for its sign as "tau symbol" before encoding. */
  readonly expandKeywords: boolean;
  /** Changes of the model's weights, which add up in this order. */
  readonly adapters: readonly AdapterUse[];
  /** Whose way of writing weights into a prompt is read; `none` takes it as plain text. */
  readonly weighting: typeof WEIGHTINGS[number];
  /** Layers of the text encoders that are left out at their end, of the prompt alone. */
  readonly clipSkip: number;
  /**
   * How far the guided prediction's deviation is taken back to the unguided one's, 0 to 1.
   * @see https://arxiv.org/abs/2305.08891, section 3.4.
   */
  readonly guidanceRescale: number;
  /** Images are decoded, and encoded, in tiles as diffusers' `enable_tiling` cuts them. */
  readonly vaeTiling: boolean;
  /** The image that the run starts from, by the SHA-256 of its file; undefined for none. */
  readonly image: string | undefined;
  /**
   * What of the image is made anew, by the SHA-256 of its file: white is, black is kept. Undefined for
   * all of it.
   */
  readonly mask: string | undefined;
  /** How much of the run is done, above 0, at most 1; undefined without an image. */
  readonly strength: number | undefined;
  /**
   * The receipt that this goes on from, by its id: `image` is its image, or what `upscaler` makes of
   * that. Undefined for none.
   */
  readonly parent: string | undefined;
  /**
   * What enlarged the parent's image to this size: `lanczos`, or a network by the SHA-256 of its file.
   * Undefined where `image` is the parent's own file.
   */
  readonly upscaler: string | undefined;
  /** Images that steer the run, each by a ControlNet; what these add is summed. */
  readonly control: readonly ControlUse[];
}

/** An adapter, such as a LoRA, by its bytes. */
export interface AdapterUse {
  /** Of its file, lower-case hex. */
  readonly sha256: string;
  /** That its change is multiplied by. */
  readonly scale: number;
}

const WEIGHTINGS = ["none", "a1111", "compel"] as const;

/** What stands in for the fields that a request leaves out. */
export interface RequestDefaults {
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly guidanceScale: number;
  readonly seed: bigint;
}

// A receipt is UTF-8, which half of a surrogate pair has no bytes in.
const prompt = z.string(ranged("text"))
  .max(REQUEST_LIMITS.prompt, ranged(`at most ${REQUEST_LIMITS.prompt} characters`))
  .refine((text) => text.isWellFormed(), ranged("well-formed Unicode"));
const SIDE_RANGE =
  `a multiple of ${LATENT_SCALE} from ${MIN_SIDE} to ${REQUEST_LIMITS.side} pixels, ` +
  "and of what the model needs (often 32 or 64)";
const side = integer(MIN_SIDE, REQUEST_LIMITS.side, SIDE_RANGE)
  .refine((pixels) => pixels % LATENT_SCALE === 0, ranged(SIDE_RANGE));

/** As other APIs have it: the same as a seed that is left out. */
const RANDOM_SEED = -1n;
const SEED_RANGE = "a whole number from 0 to 2^64-1, or -1 for a random one";
const seed = z.union([
  z.bigint(),
  z.number().int().transform(BigInt),
  z.string().regex(/^(-1|[0-9]{1,20})$/).transform(BigInt),
], {
  // JSON's numbers have rounded it by now.
  error: ({ input }) =>
    typeof input === "number" && input > Number.MAX_SAFE_INTEGER
      ? `${SEED_RANGE} (above 2^53 as text, in quotes)`
      : SEED_RANGE,
}).refine(
  (value) => value === RANDOM_SEED || (value >= 0n && value <= MAX_SEED),
  ranged(SEED_RANGE),
);

function ranged(range: string): { error: () => string } {
  return { error: () => range };
}

function integer(min: number, max: number, range: string): z.ZodNumber {
  return z.number(ranged(range)).int(ranged(range)).min(min, ranged(range)).max(
    max,
    ranged(range),
  );
}

const MAX_ADAPTERS = 16;
const MAX_ADAPTER_SCALE = 100;
const ADAPTERS_RANGE =
  `a list of at most ${MAX_ADAPTERS} of {"sha256": 64 hex digits, "scale": -${MAX_ADAPTER_SCALE} to ` +
  `${MAX_ADAPTER_SCALE}}`;
const MAX_CLIP_SKIP = 30;
const RESCALE_RANGE = "a number from 0 to 1";
const STRENGTH_RANGE = "a number above 0, at most 1";
const FILE_HASH = "the SHA-256 of a file, 64 hex digits in lower case";
const fileHash = z.string(ranged(FILE_HASH)).regex(/^[0-9a-f]{64}$/, ranged(FILE_HASH));
const RECEIPT_ID = "a receipt's id, 64 hex digits in lower case";
const receiptId = z.string(ranged(RECEIPT_ID)).regex(/^[0-9a-f]{64}$/, ranged(RECEIPT_ID));
const UPSCALER = `"lanczos", or the SHA-256 of a network's file, 64 hex digits in lower case`;
/** Of an image that is changed as a whole, and of one that is repainted in places. */
const STRENGTHS = { image: 0.8, mask: 1 } as const;
const guidance = `a number from 0 to ${REQUEST_LIMITS.guidanceScale}`;

/** Made once: to make it for each request costs half a millisecond. */
const requestSchema = z.strictObject({
  prompt: prompt.default(""),
  prompt2: prompt.default(""),
  negativePrompt: prompt.default(""),
  negativePrompt2: prompt.default(""),
  width: side.optional(),
  height: side.optional(),
  steps: integer(1, REQUEST_LIMITS.steps, `a whole number from 1 to ${REQUEST_LIMITS.steps}`)
    .optional(),
  guidanceScale: z.number(ranged(guidance)).min(0, ranged(guidance))
    .max(REQUEST_LIMITS.guidanceScale, ranged(guidance)).optional(),
  seed: seed.optional(),
  batch: integer(1, REQUEST_LIMITS.batch, `a whole number from 1 to ${REQUEST_LIMITS.batch}`)
    .default(1),
  expandKeywords: z.boolean(ranged("true or false")).default(true),
  scheduler: z.union(
    [z.string(), z.record(z.string(), z.unknown())],
    ranged("a name or an object"),
  )
    .optional(),
  adapters: z.array(
    z.strictObject({
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scale: z.number().min(-MAX_ADAPTER_SCALE).max(MAX_ADAPTER_SCALE),
    }),
    ranged(ADAPTERS_RANGE),
  ).max(MAX_ADAPTERS, ranged(ADAPTERS_RANGE)).default([]),
  weighting: z.enum(WEIGHTINGS, ranged(`one of ${WEIGHTINGS.join(", ")}`)).default("none"),
  clipSkip: integer(0, MAX_CLIP_SKIP, `a whole number from 0 to ${MAX_CLIP_SKIP}`).default(0),
  guidanceRescale: z.number(ranged(RESCALE_RANGE)).min(0, ranged(RESCALE_RANGE))
    .max(1, ranged(RESCALE_RANGE)).default(0),
  vaeTiling: z.boolean(ranged("true or false")).default(false),
  image: fileHash.optional(),
  mask: fileHash.optional(),
  strength: z.number(ranged(STRENGTH_RANGE)).gt(0, ranged(STRENGTH_RANGE))
    .max(1, ranged(STRENGTH_RANGE)).optional(),
  parent: receiptId.optional(),
  upscaler: z.string(ranged(UPSCALER)).regex(/^(lanczos|[0-9a-f]{64})$/, ranged(UPSCALER))
    .optional(),
  control: controlSchema.default([]),
});

/** A request that is right as far as it goes: what a model's defaults fill in may be missing. */
export type RequestDraft =
  & Omit<GenerationRequest, ModelField>
  & { readonly [Field in ModelField]: GenerationRequest[Field] | undefined };

type ModelField = Exclude<keyof RequestDefaults, "seed">;

/**
 * A request from outside, checked and completed. A field that is null counts as left out; a seed of
 * -1 too, and both then have the defaults' value.
 * @throws AppError `invalid_request` naming the field, its value and the range.
 */
export function decodeRequest(input: unknown, defaults: RequestDefaults): GenerationRequest {
  return completeRequest(decodeDraft(input, defaults), defaults);
}

/**
 * A request from outside, checked before its model is known.
 * @param defaults the seed where the request has none.
 * @throws AppError `invalid_request` naming the field, its value and the range.
 */
export function decodeDraft(
  input: unknown,
  defaults: Pick<RequestDefaults, "seed">,
): RequestDraft {
  const result = requestSchema.safeParse(withoutNulls(input));
  if (!result.success) {
    throw refusal(result.error.issues[0], input);
  }
  const { width, height, steps, guidanceScale, scheduler, ...rest } = result.data;
  const seed = rest.seed === undefined || rest.seed === RANDOM_SEED ? defaults.seed : rest.seed;
  if (seed + BigInt(rest.batch) - 1n > MAX_SEED) {
    throw new AppError(
      "invalid_request",
      `Cannot generate: seed is ${seed}, too large for a batch of ${rest.batch} ` +
        `(each image takes the next seed, up to 2^64-1)`,
      { field: "seed" },
    );
  }
  const { image, mask } = rest;
  for (const [field, other, remedy] of NEEDS) {
    if (rest[field] === undefined || rest[other] !== undefined) continue;
    throw new AppError(
      "invalid_request",
      `Cannot generate: ${field} is ${showValue(rest[field])}, and ${remedy}`,
      { field },
    );
  }
  const usual = mask === undefined ? STRENGTHS.image : STRENGTHS.mask;
  const strength = image === undefined ? undefined : rest.strength ?? usual;
  return {
    ...rest,
    ...{ width, height, steps, guidanceScale, seed, scheduler, image, mask, strength },
    ...{ parent: rest.parent, upscaler: rest.upscaler },
  };
}

const NO_IMAGE = "there is no image that it is for; give image too";
/** Fields that mean nothing without another. */
const NEEDS = [
  ["mask", "image", NO_IMAGE],
  ["strength", "image", NO_IMAGE],
  ["parent", "image", NO_IMAGE],
  ["upscaler", "parent", "there is no parent whose image it enlarged; give parent too"],
] as const;

/** Fills in what the draft leaves out. */
export function completeRequest(
  draft: RequestDraft,
  defaults: Omit<RequestDefaults, "seed">,
): GenerationRequest {
  return Object.freeze({
    ...draft,
    width: draft.width ?? defaults.width,
    height: draft.height ?? defaults.height,
    steps: draft.steps ?? defaults.steps,
    guidanceScale: draft.guidanceScale ?? defaults.guidanceScale,
  });
}

/** What {@link decodeRequest} takes from JSON, as JSON Schema. */
export function generationRequestSchema(): Record<string, unknown> {
  return z.toJSONSchema(requestSchema, {
    ...{ io: "input", unrepresentable: "any" },
    override: ({ zodSchema, jsonSchema }) => {
      // JSON has no bigint.
      if (zodSchema === seed) jsonSchema.anyOf = jsonSchema.anyOf?.slice(1);
    },
  });
}

function refusal(issue: z.core.$ZodIssue, input: unknown): AppError {
  if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
    const why = `${issue.keys[0]} is not a field of a request`;
    return new AppError("invalid_request", `Cannot generate: ${why}`);
  }
  const field = String(issue.path[0] ?? "request");
  const why = `${field} is ${showValue(valueAt(input, field))}, not ${issue.message}`;
  return new AppError("invalid_request", `Cannot generate: ${why}`, { field });
}

function valueAt(input: unknown, field: string): unknown {
  return typeof input === "object" && input !== null
    ? (input as Record<string, unknown>)[field]
    : input;
}

/**
 * The request as JSON can carry it: the seed as decimal text, since it may exceed 2^53. Fields that came
 * later than the first receipts are left out where they have their default, so that what is asked the
 * same is written the same.
 */
export function encodeRequest(request: GenerationRequest): Record<string, unknown> {
  const {
    scheduler,
    adapters,
    weighting,
    clipSkip,
    guidanceRescale,
    vaeTiling,
    image,
    mask,
    strength,
    parent,
    upscaler,
    control,
    ...rest
  } = request;
  return {
    ...rest,
    seed: String(request.seed),
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(adapters.length === 0 ? {} : { adapters }),
    ...(weighting === "none" ? {} : { weighting }),
    ...(clipSkip === 0 ? {} : { clipSkip }),
    ...(guidanceRescale === 0 ? {} : { guidanceRescale }),
    ...(vaeTiling ? { vaeTiling } : {}),
    ...(image === undefined ? {} : { image, strength }),
    ...(mask === undefined ? {} : { mask }),
    ...(parent === undefined ? {} : { parent }),
    ...(upscaler === undefined ? {} : { upscaler }),
    ...(control.length === 0 ? {} : { control }),
  };
}

/** Whether both can be one batch: all that a run does step by step is the same. */
export function canBatchWith(one: GenerationRequest, other: GenerationRequest): boolean {
  return one.width === other.width && one.height === other.height && one.steps === other.steps &&
    one.guidanceScale === other.guidanceScale &&
    one.guidanceRescale === other.guidanceRescale && one.vaeTiling === other.vaeTiling &&
    one.image === other.image && one.mask === other.mask && one.strength === other.strength &&
    JSON.stringify(one.adapters) === JSON.stringify(other.adapters) &&
    JSON.stringify(one.control) === JSON.stringify(other.control) &&
    JSON.stringify(one.scheduler) === JSON.stringify(other.scheduler);
}
