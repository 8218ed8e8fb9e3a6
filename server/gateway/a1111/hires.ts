import type { GenerationRequest } from "../../../core/request/mod.ts";
import { LATENT_SCALE } from "../../../core/latent_scale.ts";
import { sha256Of } from "../../storage/mod.ts";
import type { A1111Call } from "./call.ts";
import { refuseField } from "./errors.ts";
import type { A1111Order } from "./order.ts";

/** Of the second run, where a call names none. */
const STRENGTH = 0.75;
const UPSCALER = "lanczos";

/** As of `PictureWork`. */
type Enlarged = (
  order: { readonly file: Uint8Array<ArrayBuffer>; readonly size: Size },
) => Promise<Uint8Array<ArrayBuffer>>;

type Size = Pick<GenerationRequest, "width" | "height">;

/** An image of the first run. */
export interface FirstImage {
  readonly request: GenerationRequest;
  readonly file: Uint8Array<ArrayBuffer>;
  /** Of its receipt. */
  readonly id: string;
}

/** Whether a call wants its images enlarged and drawn anew. @throws A1111Error for what is not done. */
export function wantsHires(call: A1111Call): boolean {
  if (!call.enable_hr) return false;
  const { hr_upscaler: upscaler = "Lanczos" } = call;
  if (upscaler !== "Lanczos") {
    refuseField("hr_upscaler", `there is no upscaler ${upscaler} here: take Lanczos`);
  }
  for (const field of ["hr_checkpoint_name", "hr_sampler_name", "hr_scheduler"] as const) {
    const value = call[field];
    if (value && !/^use same/i.test(value)) refuseField(field, "it is that of the first run here");
  }
  return true;
}

/** The size of the second run: by a factor, or by one side or both. */
function hiresSize(call: A1111Call, { width, height }: Size): Size {
  const { hr_resize_x: wide = 0, hr_resize_y: high = 0, hr_scale: scale = 2 } = call;
  const factor = wide > 0 ? wide / width : high > 0 ? high / height : scale;
  if (wide > 0 && high > 0 && Math.abs(wide / width - high / height) > 1e-3) {
    refuseField("hr_resize_y", "both sides grow by one factor here");
  }
  const grown = (side: number) => Math.floor(side * factor / LATENT_SCALE) * LATENT_SCALE;
  return { width: grown(width), height: grown(height) };
}

/** What the second run asks for, as far as it is known before the first. */
export function hiresRequest(call: A1111Call, first: GenerationRequest): GenerationRequest {
  return { ...secondRequest(call, first), ...hiresSize(call, first) };
}

/** The second run, in which each image goes on from its enlargement and names its first as its parent. */
export async function hiresOrder(
  call: A1111Call,
  order: A1111Order,
  firsts: readonly FirstImage[],
  enlarged: Enlarged,
): Promise<A1111Order> {
  const made = await Promise.all(firsts.map(async ({ request, file, id }) => {
    const next = hiresRequest(call, request);
    const larger = await enlarged({ file, size: { width: next.width, height: next.height } });
    const image = sha256Of(larger);
    return { larger, request: { ...next, image, parent: id, upscaler: UPSCALER } };
  }));
  return {
    ...{ ...order, ready: undefined },
    requests: made.map(({ request }) => request),
    inputs: new Map(made.map(({ larger, request }) => [request.image, larger])),
  };
}

function secondRequest(call: A1111Call, request: GenerationRequest): GenerationRequest {
  return {
    ...request,
    strength: call.denoising_strength || STRENGTH,
    steps: call.hr_second_pass_steps || request.steps,
    prompt: call.hr_prompt || request.prompt,
    negativePrompt: call.hr_negative_prompt || request.negativePrompt,
  };
}
