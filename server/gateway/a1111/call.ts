import { withoutNulls } from "../../../core/json_decoding.ts";
import { z } from "zod";
import { parseInfotextFields } from "./infotext_fields.ts";
import { A1111Error } from "./errors.ts";

/**
 * Bodies of AUTOMATIC1111's API. What is null is left out, what is not known is passed over, as there;
 * what would change the image and is not done here is refused by its name.
 */

const MAX_SIDE = 4096;
const text = z.string().max(20_000);
const share = z.number().min(0).max(1);
/** Pixels: as far as AUTOMATIC1111's page goes. */
const blur = z.number().min(0).max(64);
const side = z.number().int().min(8).max(MAX_SIDE);

const fields = {
  prompt: text,
  negative_prompt: text,
  styles: z.array(z.string()),
  seed: z.union([z.number(), z.string()]),
  subseed: z.union([z.number(), z.string()]),
  subseed_strength: z.number(),
  seed_resize_from_w: z.number(),
  seed_resize_from_h: z.number(),
  sampler_name: z.string().max(100),
  sampler_index: z.string().max(100),
  scheduler: z.string().max(100),
  batch_size: z.number().int().min(1),
  n_iter: z.number().int().min(1),
  steps: z.number().int().min(1).max(1000),
  cfg_scale: z.number().min(0).max(100),
  width: side,
  height: side,
  restore_faces: z.boolean(),
  tiling: z.boolean(),
  denoising_strength: z.number().min(0).max(1),
  override_settings: z.record(z.string(), z.unknown()),
  clip_skip: z.number().int().min(1).max(12),
  refiner_checkpoint: z.string(),
  enable_hr: z.boolean(),
  hr_scale: z.number().min(1).max(8),
  hr_upscaler: z.string(),
  hr_second_pass_steps: z.number().int().min(0).max(1000),
  hr_resize_x: z.number().int().min(0).max(MAX_SIDE),
  hr_resize_y: z.number().int().min(0).max(MAX_SIDE),
  hr_prompt: text,
  hr_negative_prompt: text,
  script_name: z.string(),
  alwayson_scripts: z.record(z.string(), z.unknown()),
  send_images: z.boolean(),
  infotext: text,
  // Of img2img.
  init_images: z.array(z.string()),
  resize_mode: z.number().int(),
  mask: z.string(),
  inpainting_fill: z.number().int().min(0).max(3),
  inpaint_full_res: z.union([z.boolean(), z.number()]),
  inpainting_mask_invert: z.union([z.number(), z.boolean()]),
  initial_noise_multiplier: z.number(),
  mask_blur: blur,
  mask_blur_x: blur,
  mask_blur_y: blur,
  force_task_id: z.string(),
  hr_checkpoint_name: z.string(),
  hr_sampler_name: z.string(),
  hr_scheduler: z.string(),
  strength: share,
} as const;

const schema = z.object(fields).partial();

/** A call of txt2img or img2img. */
export type A1111Call = Readonly<z.infer<typeof schema>>;

/** @throws A1111Error 422 as FastAPI words it. */
export function decodeCall(json: unknown): A1111Call {
  const given = dictOf(json);
  const filled = typeof given.infotext === "string" && given.infotext !== ""
    ? { ...parseInfotextFields(given.infotext), ...given }
    : given;
  return decode(schema, filled);
}

/** @throws A1111Error 422 */
export function decode<T>(shape: z.ZodType<T>, json: unknown): T {
  const result = shape.safeParse(json);
  if (result.success) return result.data;
  const detail = result.error.issues.map(({ path, message, code }) => ({
    ...{ loc: ["body", ...path.map(String)], msg: message, type: `value_error.${code}` },
  }));
  throw new A1111Error(422, detail);
}

/** @throws A1111Error 422 for what is no object. */
export function dictOf(json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new A1111Error(422, [
      { loc: ["body"], msg: "value is not a valid dict", type: "type_error.dict" },
    ]);
  }
  return Object(withoutNulls(json));
}
