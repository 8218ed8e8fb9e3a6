import os from "node:os";
import process from "node:process";
import { z } from "zod";
import { inputFormat, textIn } from "../../../core/image/mod.ts";
import { readInfotext } from "../../../core/infotext/mod.ts";
import type { GatewayParts } from "../routes/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { decode, dictOf } from "./call.ts";
import { imageBytes } from "./call_files.ts";
import { refuseField } from "./errors.ts";

const imageCall = z.object({ image: z.string() });

/** How an image was made, as it says beside its picture. */
export function pngInfo(json: unknown): unknown {
  const { image } = decode(imageCall, json);
  const bytes = imageBytes(image, "image");
  const format = inputFormat(bytes);
  const info = format && textIn(bytes, format);
  if (info === undefined) return { info: "", items: {}, parameters: {} };
  const { prompt, negativePrompt, parameters } = readInfotext(info);
  return {
    info,
    items: { parameters: info },
    parameters: { Prompt: prompt, "Negative prompt": negativePrompt, ...parameters },
  };
}

const extraCall = z.object({
  image: z.string(),
  resize_mode: z.int().min(0).max(1).default(0),
  upscaling_resize: z.number().min(1).max(8).default(2),
  upscaling_resize_w: z.int().min(1).max(4096).default(512),
  upscaling_resize_h: z.int().min(1).max(4096).default(512),
  upscaling_crop: z.boolean().default(true),
  upscaler_1: z.string().default("None"),
  upscaler_2: z.string().default("None"),
  gfpgan_visibility: z.number().default(0),
  codeformer_visibility: z.number().default(0),
});

/** An image enlarged by Lanczos' kernel. */
export async function extraImage(
  json: unknown,
  owner: ApiKey,
  { keys, pictures }: Pick<GatewayParts, "keys" | "pictures">,
): Promise<unknown> {
  const call = decode(extraCall, dictOf(json));
  for (const field of ["gfpgan_visibility", "codeformer_visibility"] as const) {
    if (call[field] > 0) refuseField(field, "faces are not restored here");
  }
  for (const field of ["upscaler_1", "upscaler_2"] as const) {
    if (!["None", "Lanczos"].includes(call[field])) refuseField(field, "take Lanczos, or None");
  }
  const file = imageBytes(call.image, "image");
  const size = call.resize_mode === 0
    ? call.upscaling_resize
    : { width: call.upscaling_resize_w, height: call.upscaling_resize_h };
  keys.take(owner);
  const enlarged = await pictures.ask(owner.id, "enlarged", {
    ...{ file, size: call.upscaler_1 === "None" ? 1 : size },
  });
  return { image: enlarged.toBase64(), html_info: "" };
}

/** Of this machine, which makes no images. */
export function memory(): unknown {
  const { rss: used } = process.memoryUsage();
  return {
    ram: { free: os.freemem(), used, total: os.totalmem() },
    cuda: { error: "images are made by miners" },
  };
}
