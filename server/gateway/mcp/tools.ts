import { z } from "zod";
import { MIN_SIDE, REQUEST_LIMITS } from "../../../core/request_limits.ts";

/** What agents may call, as they read it. */

/** Images of one call. */
export const MAX_IMAGES = 4;

const prompt = z.string().max(REQUEST_LIMITS.prompt).describe("What the image shows, in English");
const base64 = z.string().describe("A PNG, JPEG or WebP in base64, or as a data URL");
const side = z.int().min(MIN_SIDE).max(REQUEST_LIMITS.side);

const common = {
  prompt,
  negative_prompt: z.string().max(REQUEST_LIMITS.prompt).optional()
    .describe("What it should not show"),
  width: side.optional().describe("Pixels, a multiple of 8; default: the model's"),
  height: side.optional().describe("Pixels, a multiple of 8; default: the model's"),
  steps: z.int().min(1).max(REQUEST_LIMITS.steps).optional()
    .describe("More take longer; default: the model's"),
  guidance_scale: z.number().min(0).max(REQUEST_LIMITS.guidanceScale).optional()
    .describe("How closely the prompt is followed; default: the model's"),
  seed: z.int().min(0).optional().describe("The same seed gives the same image; default: random"),
};

export const generateInput = {
  ...common,
  count: z.int().min(1).max(MAX_IMAGES).default(1).describe("Images, of seeds that follow"),
};

export const editInput = {
  ...common,
  image: base64.describe("The image to start from: PNG, JPEG or WebP in base64, or a data URL"),
  mask: base64.optional().describe("White is drawn anew, black is kept; default: all is changed"),
  strength: z.number().gt(0).max(1).optional()
    .describe("How much is changed; default: 0.8, with a mask 1"),
};

export const verifyInput = { image: base64 };

export type GenerateInput = z.infer<z.ZodObject<typeof generateInput>>;
export type EditInput = z.infer<z.ZodObject<typeof editInput>>;
