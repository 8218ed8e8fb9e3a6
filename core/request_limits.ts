import { LATENT_SCALE } from "./latent_scale.ts";

/**
 * What one request may ask for at most, whatever the model: in pixels a side, steps, guidance scale,
 * images, and characters of a prompt. A model may take less.
 */
export const REQUEST_LIMITS = {
  side: 4096,
  steps: 1000,
  guidanceScale: 100,
  batch: 64,
  prompt: 10_000,
} as const;

/** Pixels: one position of a latent. */
export const MIN_SIDE = LATENT_SCALE;

/** Seeds are whole numbers of 64 bits. */
export const MAX_SEED = 2n ** 64n - 1n;

/** Bytes of a request as JSON: four prompts of the greatest length, escaped, leave room. */
export const MAX_REQUEST_BYTES = 512 * 1024;
