import { z } from "zod";
import { withoutNulls } from "../json_decoding.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import type { ImageFormat } from "../image/mod.ts";
import { type Receipt, receiptFromJson, type Witness, witnessSchema } from "../transcript/mod.ts";
import type { Verdict } from "../verifier/mod.ts";
import { type Refinement, refinementFields, refinementOf } from "./refinement.ts";
import { decodeMessage, openingToken, requestFields } from "./decode_message.ts";

/** Messages of a validator's HTTP API, for both sides. */

const imageCall = z.strictObject({
  request: requestFields,
  /** Default: what the header `accept` prefers, or else png. */
  format: z.enum(["png", "jpeg", "webp"]).optional(),
  /** Draws the subnet's sign into a corner; the file is then not the receipt's. */
  watermark: z.boolean().default(false),
  ...refinementFields,
});

/** The body of `POST /v1/generate`. */
export interface ImageCall {
  readonly request: Readonly<Record<string, unknown>>;
  /** Default: what the header `accept` prefers, or else png. */
  readonly format?: ImageFormat;
  readonly watermark: boolean;
  readonly refinement: Refinement | undefined;
}

/** What a user gets: the image, and what it takes to check it. */
export interface ImageForUser {
  /** `receiptId`. */
  readonly id: string;
  readonly receipt: Receipt;
  /** The file in base64. */
  readonly image: string;
  readonly mediaType: string;
  readonly watermarked: boolean;
  readonly miner: { readonly uid: number; readonly hotkey: string; readonly url: string };
  /** Opens the receipt's steps at the miner. */
  readonly token: string;
  /** When the validator had the receipt; null where it did not see the chain. */
  readonly witness: Witness | null;
  /** Of the validator's own check; null when this image was not drawn for one. */
  readonly verdict: Verdict | null;
  readonly notices: readonly string[];
  /** Of an image that was enlarged and drawn anew: the one that it was made of. */
  readonly parent?: ParentForUser;
}

/** What it takes to check the image that another goes on from; its file is at its miner. */
export type ParentForUser = Pick<
  ImageForUser,
  "id" | "receipt" | "miner" | "token" | "witness" | "verdict"
>;

const scoreCall = z.strictObject({
  receipt: z.unknown(),
  /** The miner, which opens the steps. */
  url: z.url({ protocol: /^https?$/ }).max(2000),
  token: openingToken,
});

/** The body of `POST /v1/score`: evidence to check. */
export interface ScoreCall {
  readonly receipt: Receipt;
  readonly url: string;
  readonly token: string;
}

export const scoreSchema = z.object({
  verdict: z.enum(["honest", "suspect", "invalid", "withheld"]),
  /** Mean cosine of the checked velocities; 0 where none could be compared. */
  similarity: z.number().min(-1).max(1),
  /** The largest velocity error, and the largest over its tolerance; null without level 2. */
  velocityError: z.number().nullable(),
  worst: z.number().nullable(),
  reasons: z.array(z.string()),
  /** Velocity error over tolerance of each recomputed step; nothing without level 2. */
  ratios: z.array(z.number().min(0)).max(REQUEST_LIMITS.steps).optional(),
  /**
   * How much likelier they are from a miner that is less precise than from honest machines, in nats, and
   * of which backend these are.
   */
  drift: z.object({ gain: z.number(), backend: z.string().max(64) }).optional(),
});

/** A check's verdict: `withheld` when a step was not opened, or too late. */
export type Score = z.infer<typeof scoreSchema>;

/** @throws AppError `invalid_request` naming the field. */
export function decodeImageCall(json: unknown): ImageCall {
  const call = decodeMessage(imageCall, withoutNulls(json), "take the request", "invalid_request");
  const { upscale, refine, ...rest } = call;
  return { ...rest, refinement: refinementOf({ upscale, refine }) };
}

/** @throws AppError `invalid_request` or `receipt_invalid`. Nothing of the receipt is checked. */
export function decodeScoreCall(json: unknown): ScoreCall {
  const call = decodeMessage(scoreCall, json, "score", "invalid_request");
  return { ...call, receipt: receiptFromJson(call.receipt) };
}

/** @throws AppError `invalid_request`. */
export function decodeScore(json: unknown): Score {
  return decodeMessage(scoreSchema, json, "read the score", "invalid_request");
}

const made = {
  id: z.string(),
  receipt: z.unknown(),
  miner: z.object({ uid: z.int(), hotkey: z.string(), url: z.string() }),
  token: openingToken,
  witness: witnessSchema.nullable(),
  verdict: z.enum(["honest", "suspect", "invalid"]).nullable(),
};

const imageForUser = z.object({
  ...made,
  image: z.base64(),
  mediaType: z.string(),
  watermarked: z.boolean(),
  notices: z.array(z.string()),
  parent: z.object(made).optional(),
});

/** The messages as JSON Schema, by name. */
export function validatorSchemas(): Record<string, unknown> {
  return {
    ImageCall: z.toJSONSchema(imageCall, { io: "input" }),
    ImageForUser: z.toJSONSchema(imageForUser),
    ScoreCall: z.toJSONSchema(scoreCall, { io: "input" }),
    Score: z.toJSONSchema(scoreSchema),
  };
}
