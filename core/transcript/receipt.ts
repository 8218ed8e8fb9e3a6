import { counted } from "../counted.ts";
import { parseJsonText } from "../json_text.ts";
import { z } from "zod";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError, reason } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import { MAX_REQUEST_BYTES, MAX_SEED, MIN_SIDE, REQUEST_LIMITS } from "../request_limits.ts";
import { canonicalJson } from "./canonical_json.ts";
import { isSs58 } from "../keys/mod.ts";
import { decodeSketch } from "./sketch.ts";

/** A longer document is not read: what is not the request is small. */
export const MAX_RECEIPT_BYTES = MAX_REQUEST_BYTES;
/** Milliseconds that the clocks of two machines may be apart. */
export const MAX_CLOCK_SKEW_MS = 60_000;
/** Of the receipts that are made. Those of version 1 are still read and checked. */
export const RECEIPT_VERSION = 2 as const;
/** Of what a device calls itself. */
export const MAX_ADAPTER_LETTERS = 200;
/** Positions of a latent along a side. */
const MAX_LATENT_SIDE = REQUEST_LIMITS.side / LATENT_SCALE;
const MAX_CHANNELS = 64;
/** Of 750 numbers of four bytes, or 1000 of three. */
const MAX_SKETCH_LETTERS = 4000;

const hash = z.string().regex(/^[0-9a-f]{64}$/, "not SHA-256 in lower-case hex");
const address = z.string().max(64).refine(isSs58, "not an SS58 address");
/** Up to the last that a Date can hold. */
const time = z.int().min(0).max(8.64e15);

/** The request as `encodeRequest` writes it; only what the checks read is typed. */
const requestSchema = z.looseObject({
  width: z.int().min(MIN_SIDE).max(REQUEST_LIMITS.side),
  height: z.int().min(MIN_SIDE).max(REQUEST_LIMITS.side),
  steps: z.int().min(1).max(REQUEST_LIMITS.steps),
  /** Decimal text, since it may exceed 2^53: this image's own. */
  seed: z.string().regex(/^(0|[1-9][0-9]{0,19})$/).refine((text) =>
    /^[0-9]{1,20}$/.test(text) && BigInt(text) <= MAX_SEED
  ),
  batch: z.literal(1),
  image: hash.optional(),
  mask: hash.optional(),
  strength: z.number().optional(),
  parent: hash.optional(),
  upscaler: z.string().optional(),
  control: z.array(z.looseObject({ image: hash, network: z.string() })).optional(),
});

/** Fields that every version has. */
const statement = {
  request: requestSchema,
  model: z.strictObject({
    id: z.string().min(1).max(500),
    /** {@link manifestHash} of the files that were used. */
    manifest: hash,
    /** Of the network's arithmetic. */
    precision: z.enum(["float32", "float16"]),
    /** Which weights, in diffusers' naming, where the folder has several. */
    variant: z.string().min(1).max(64).optional(),
    /** {@link manifestHash} of the model's own ControlNet, where the request uses it. */
    control: hash.optional(),
  }),
  /** {@link planHash}. */
  plan: hash,
  steps: z.int().min(1).max(REQUEST_LIMITS.steps),
  /** Channels, height, width. */
  latent: z.tuple([
    z.int().min(1).max(MAX_CHANNELS),
    z.int().min(1).max(MAX_LATENT_SIDE),
    z.int().min(1).max(MAX_LATENT_SIDE),
  ]),
  /** Of the Merkle tree over all leaves. */
  root: hash,
  image: z.strictObject({
    /** Of the encoded file's bytes alone. */
    sha256: hash,
    mediaType: z.enum(["image/png", "image/jpeg", "image/webp"]),
    bytes: z.int().min(1),
    /** Of JPEG and WebP, 1 to 100; 92 where it is left out, and in version 1. */
    quality: z.int().min(1).max(100).optional(),
  }),
  /** SS58 hotkeys. */
  miner: address,
  validator: address.optional(),
  /** Milliseconds since 1970, UTC. */
  times: z.strictObject({ started: time, finished: time }),
};

/** sr25519 by the miner's hotkey over {@link receiptMessage}, in lower-case hex. */
const signature = z.string().regex(/^[0-9a-f]{128}$/);

function consistent(receipt: Stated, context: z.RefinementCtx): void {
  for (const message of contradictions(receipt)) context.addIssue({ code: "custom", message });
}

const unsignedSchemas = [
  z.strictObject({ version: z.literal(1), ...statement }).superRefine(consistent),
  z.strictObject({
    version: z.literal(2),
    ...statement,
    /** Of every prediction, as `sketchRun` writes it; receipts of the first weeks have none. */
    sketch: z.string().max(MAX_SKETCH_LETTERS).optional(),
    /** What computed it, by the miner's word; receipts of the first weeks do not say. */
    backend: z.strictObject({
      host: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
      adapter: z.string().min(1).max(MAX_ADAPTER_LETTERS),
    }).optional(),
    /** Leaves before x_0 of a run whose network reads a mask; else they follow from the request. */
    sources: z.tuple([z.literal("s"), z.literal("m"), z.literal("k")]).optional(),
  }).superRefine(consistent),
] as const;
const unsignedSchema = z.discriminatedUnion("version", unsignedSchemas);

const receiptSchema = z.discriminatedUnion("version", [
  unsignedSchemas[0].safeExtend({ signature }),
  unsignedSchemas[1].safeExtend({ signature }),
]);

/** All that a miner states about one image. */
export type UnsignedReceipt = z.infer<typeof unsignedSchema>;

/** Evidence: what was asked for, by which plan and model, with which states and result, signed. */
export type Receipt = z.infer<typeof receiptSchema>;

export type ReceiptVersion = Receipt["version"];

/**
 * The longest file that an image of this size may have: twice its pixels as 8-bit RGBA, and what
 * headers take. A client needs to read no more.
 */
export function maxImageBytes(
  { width, height }: { readonly width: number; readonly height: number },
): number {
  return 8 * width * height + 65_536;
}

/** What the fields of a receipt are held against each other by. */
interface Stated {
  readonly version: number;
  readonly steps: number;
  readonly latent: readonly number[];
  readonly request: {
    readonly steps: number;
    readonly width: number;
    readonly height: number;
    readonly image?: string;
    readonly mask?: string;
    readonly strength?: number;
  };
  readonly image: {
    readonly bytes: number;
    readonly mediaType: string;
    readonly quality?: number;
  };
  readonly times: { readonly started: number; readonly finished: number };
  readonly sketch?: string | undefined;
  readonly sources?: readonly unknown[];
}

function contradictions(receipt: Stated): string[] {
  const { version, steps, latent: [, height, width], request, image, times, sketch } = receipt;
  const hasQuality = version > 1 && image.mediaType !== "image/png";
  return [
    // Some solvers call the network more than once a step, none more than twice.
    // A run that starts from an image takes the last steps alone.
    ...(steps >= (request.image === undefined ? request.steps : 1) && steps <= 2 * request.steps
      ? []
      : ["steps is not the request's"]),
    ...(height * LATENT_SCALE === request.height && width * LATENT_SCALE === request.width
      ? []
      : ["latent does not have the request's size"]),
    ...(image.bytes <= maxImageBytes(request) ? [] : ["image has more bytes than its size takes"]),
    ...(image.quality === undefined || hasQuality ? [] : ["image has a quality, which is of none"]),
    ...(receipt.sources === undefined || request.mask !== undefined
      ? []
      : ["sources are those of a run with a mask"]),
    ...(request.mask === undefined || request.image !== undefined ? [] : ["mask is of no image"]),
    ...((request.strength === undefined) === (request.image === undefined)
      ? []
      : ["strength is that of a run from an image"]),
    ...(times.finished >= times.started ? [] : ["times run backwards"]),
    ...(sketch === undefined || decodeSketch(sketch, steps)
      ? []
      : ["sketch is not that of its steps"]),
  ];
}

/** @throws AppError `receipt_invalid` when it does not state what a receipt must. */
export function checkUnsigned(value: unknown): UnsignedReceipt {
  return decodeWith(unsignedSchema, value);
}

/**
 * A receipt that came inside another JSON document.
 * @throws AppError `receipt_invalid` naming the field.
 */
export function receiptFromJson(value: unknown): Receipt {
  return decodeWith(receiptSchema, value);
}

function decodeWith<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refusal(issueSentence(result.error.issues[0], value), result.error);
}

/** The receipt's one form as a file: canonical JSON in UTF-8. */
export function encodeReceipt(receipt: Receipt): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalJson(receipt));
}

/**
 * @param bytes as {@link encodeReceipt} writes them; no other spelling is accepted.
 * @throws AppError `receipt_invalid`. The signature is not checked here.
 */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  if (bytes.length > MAX_RECEIPT_BYTES) {
    throw refusal(`it has ${counted(bytes.length, "byte")}, at most ${MAX_RECEIPT_BYTES} are read`);
  }
  const receipt = receiptFromJson(parse(bytes));
  const again = canonical(receipt);
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) {
    throw refusal("it is not canonical JSON");
  }
  return receipt;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refusal("it is not JSON in UTF-8", cause);
  }
}

function canonical(receipt: Receipt): Uint8Array {
  try {
    return encodeReceipt(receipt);
  } catch (cause) {
    throw refusal(reason(cause), cause);
  }
}

function refusal(why: string, cause?: unknown): AppError {
  return new AppError("receipt_invalid", `Cannot read a receipt: ${why}`, { cause });
}

/**
 * What the miner signs: "stepwise-receipt-v" and the version, a line feed and the canonical JSON
 * without the signature, in UTF-8. The first line keeps every other signature of a hotkey from
 * passing for a receipt's. The raw bytes: never wrapped in `<Bytes>`, as wallet extensions do.
 */
export function receiptMessage(receipt: UnsignedReceipt): Uint8Array<ArrayBuffer> {
  const { signature: _, ...rest } = receipt as UnsignedReceipt & { signature?: string };
  const domain = `stepwise-receipt-v${receipt.version}\n`;
  return new TextEncoder().encode(domain + canonicalJson(rest));
}

/**
 * A receipt's name: SHA-256 of what was signed, in lower-case hex. Without the signature, which is
 * random: signing once more gives the miner no second public draw.
 */
export function receiptId(receipt: UnsignedReceipt): string {
  return bytesToHex(sha256(receiptMessage(receipt)));
}
