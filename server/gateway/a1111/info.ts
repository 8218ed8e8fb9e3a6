import { infotextOf, samplerOf } from "../../../core/infotext/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { A1111Order } from "./order.ts";

/** What is said of a call's images. */
export interface InfoFacts {
  readonly order: A1111Order;
  /** Of the images that were made, in their order. */
  readonly made: readonly { readonly request: GenerationRequest; readonly receipt: Receipt }[];
  readonly model: { readonly id: string; readonly manifest: string };
  /** Of this program, for the texts. */
  readonly version: string;
  readonly now: Date;
}

/** The field `info` of an answer, which is JSON in a string there. */
export function infoOf({ order, made, model, version, now }: InfoFacts): string {
  const requests = made.length > 0 ? made.map(({ request }) => request) : order.requests;
  const [first] = requests;
  const all = <T>(value: T) => requests.map(() => value);
  const seeds = requests.map(({ seed }) => Number(seed));
  return JSON.stringify({
    prompt: order.prompt,
    all_prompts: all(order.prompt),
    negative_prompt: order.negativePrompt,
    all_negative_prompts: all(order.negativePrompt),
    ...{ seed: seeds[0], all_seeds: seeds, subseed: seeds[0], all_subseeds: seeds },
    subseed_strength: 0,
    ...{ width: first.width, height: first.height },
    sampler_name: samplerOf(first.scheduler)?.sampler ?? "Automatic",
    ...{ cfg_scale: first.guidanceScale, steps: first.steps, batch_size: order.batchSize },
    ...{ restore_faces: false, face_restoration_model: null },
    ...{ sd_model_name: model.id, sd_model_hash: model.manifest.slice(0, 10) },
    ...{ sd_vae_name: null, sd_vae_hash: null },
    ...{ seed_resize_from_w: -1, seed_resize_from_h: -1 },
    denoising_strength: first.strength ?? 0,
    extra_generation_params: {},
    index_of_first_image: 0,
    infotexts: made.map(({ receipt }) => infotextOf(receipt, version)),
    styles: [],
    job_timestamp: timestampOf(now),
    clip_skip: first.clipSkip + 1,
    is_using_inpainting_conditioning: false,
    version,
  });
}

/** `20240101123000`, in UTC. */
export function timestampOf(now: Date): string {
  return now.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
}
