import { z } from "zod";
import { AppError } from "../error.ts";
import { withoutNulls } from "../json_decoding.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import type { ImageFormat } from "../image/mod.ts";
import { type Receipt, receiptFromJson, receiptId } from "../transcript/mod.ts";
import { addressText, decodeMessage, openingToken, requestFields } from "./decode_message.ts";

/** Messages of a miner's HTTP API, for both sides. */

/** Seconds for which a miner keeps what it made, so that its steps can be opened. */
export const TRANSCRIPT_SECONDS = 15 * 60;

const call = z.strictObject({
  request: requestFields,
  format: z.enum(["png", "jpeg", "webp"]).default("png"),
  /** Small pictures with the progress, for `text/event-stream`. */
  previews: z.boolean().default(false),
  /** SS58 of the axon's caller; accepted from the miner's own hotkey alone. */
  validator: addressText.optional(),
  /** To be made only while nothing else waits. */
  spare: z.boolean().optional(),
});

/** The body of `POST /v1/generations`. */
export interface GenerationCall {
  readonly request: Readonly<Record<string, unknown>>;
  readonly format: ImageFormat;
  readonly previews: boolean;
  /** The receipt's addressee, where an axon calls an image generator. */
  readonly validator?: string;
  readonly spare?: boolean;
}

/** One image of an answer: its receipt, and what opens its steps for anybody. */
export interface ImageAnswer {
  /** `receiptId`. */
  readonly id: string;
  readonly receipt: Receipt;
  readonly token: string;
}

/** The result of a generation. */
export interface GenerationAnswer {
  /** Of the job: to cancel it. */
  readonly id: string;
  readonly images: readonly ImageAnswer[];
  /** Sentences for the user. */
  readonly notices: readonly string[];
}

const answer = z.object({
  id: z.string().max(64),
  images: z.array(z.object({ id: z.string(), receipt: z.unknown(), token: openingToken })).min(1)
    .max(REQUEST_LIMITS.batch),
  notices: z.array(z.string().max(1000)).max(20).default([]),
});

const progress = z.object({
  /** Done, from 1. */
  step: z.int().min(1),
  steps: z.int().min(1).max(REQUEST_LIMITS.steps),
  /** Data URLs of PNGs. */
  previews: z.array(z.string()).max(REQUEST_LIMITS.batch).optional(),
}).refine(({ step, steps }) => step <= steps, "a step is not after the last");

/** The event `progress` of a generation. */
export type GenerationProgress = Readonly<z.infer<typeof progress>>;

const info = z.object({
  name: z.string().max(100),
  version: z.string().max(100),
  /** SS58. */
  hotkey: addressText,
  compute: z.string().max(300),
  models: z.array(z.object({
    id: z.string().max(500),
    manifest: z.string().max(64),
    precision: z.enum(["float32", "float16"]),
    variant: z.string().max(64).optional(),
    /** LoRAs that requests may name. */
    adapters: z.array(z.object({ sha256: z.string().max(64), name: z.string().max(300) }))
      .max(100).default([]),
    /** ControlNets that requests may name. */
    controls: z.array(z.string().max(64)).max(100).default([]),
    defaults: z.object({
      width: z.number(),
      height: z.number(),
      steps: z.number(),
      guidanceScale: z.number(),
    }),
  })).max(20),
  capacity: z.object({
    /** Images of one run. */
    batch: z.number(),
    queueLimit: z.number(),
    queued: z.number(),
    running: z.number(),
  }),
  /** How long steps can be opened. */
  transcriptSeconds: z.number(),
});

/** `GET /v1/info`. */
export type MinerInfo = z.infer<typeof info>;

/** @throws AppError `invalid_request` naming the field. */
export function decodeGenerationCall(json: unknown): GenerationCall {
  return decodeMessage(call, withoutNulls(json), "take the request", "invalid_request");
}

/**
 * @throws AppError `receipt_invalid` for an invalid answer, or one whose ids are not those of its
 * receipts. Nothing else of the receipts is checked.
 */
export function decodeGenerationAnswer(json: unknown): GenerationAnswer {
  const { id, images, notices } = decodeMessage(answer, json, "read the answer", "receipt_invalid");
  return {
    id,
    notices,
    images: images.map((image) => {
      const receipt = receiptFromJson(image.receipt);
      if (receiptId(receipt) === image.id) return { id: image.id, receipt, token: image.token };
      throw new AppError("receipt_invalid", "Cannot read the answer: its id is not its receipt's");
    }),
  };
}

/** @throws AppError `miner_failed`. */
export function decodeProgress(json: unknown): GenerationProgress {
  return decodeMessage(progress, json, "read the progress", "miner_failed");
}

/** @throws AppError `invalid_request`. */
export function decodeMinerInfo(json: unknown): MinerInfo {
  return decodeMessage(info, json, "read what the miner says of itself", "invalid_request");
}

/** Bytes of a refusal, or of another short answer, that are read. */
export const MAX_REFUSAL_BYTES = 64 * 1024;

/** An error as every route answers it. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string };
}

const error = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The messages as JSON Schema, by name. */
export function minerSchemas(): Record<string, unknown> {
  return {
    GenerationCall: z.toJSONSchema(call, { io: "input" }),
    GenerationAnswer: z.toJSONSchema(answer),
    MinerInfo: z.toJSONSchema(info),
    Error: z.toJSONSchema(error),
  };
}
