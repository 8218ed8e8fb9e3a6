import { samplerChoice, schedulerOf } from "../../../core/infotext/mod.ts";
import { takeLoraTags } from "../../../core/prompt/mod.ts";
import {
  decodeRequest,
  type GenerationRequest,
  type RequestDefaults,
} from "../../../core/request/mod.ts";
import { LATENT_SCALE } from "../../../core/latent_scale.ts";
import { sha256Of } from "../../storage/mod.ts";
import type { A1111Call } from "./call.ts";
import { A1111Error, refuseField } from "./errors.ts";

/** Images of one call. */
const MAX_IMAGES = 10;
/** Below it AUTOMATIC1111 chooses its seeds. */
const RANDOM_SEEDS = 4_294_967_294;
/** Of img2img, where a call names none. */
const STRENGTH = 0.75;

/** A LoRA that prompts may name. */
export interface NamedLora {
  readonly name: string;
  readonly sha256: string;
}

/** What a call is completed with. */
export interface CallContext {
  readonly defaults: Omit<RequestDefaults, "seed">;
  readonly loras: readonly NamedLora[];
  /** In [0, 1). */
  readonly random: () => number;
  /** The model that is served: another one is refused. */
  readonly model: string;
}

/** Files of a call that are ready for the request: of PNG, JPEG or WebP. */
export interface CallFiles {
  readonly image?: Uint8Array<ArrayBuffer>;
  readonly mask?: Uint8Array<ArrayBuffer>;
}

/** What a call asks for. */
export interface A1111Order {
  /** One image each. */
  readonly requests: readonly GenerationRequest[];
  readonly inputs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** As of `CallOrder`: the order with files that take long to look at. */
  readonly ready?: () => Promise<A1111Order>;
  /** As they were given, tags and all. */
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly batchSize: number;
}

/**
 * A call as requests, one an image, of seeds that follow each other.
 * @throws A1111Error for what is not done here; AppError `invalid_request` as `decodeRequest`.
 */
export function orderOf(call: A1111Call, files: CallFiles, context: CallContext): A1111Order {
  refuseUnsupported(call, context);
  const { prompt = "", negative_prompt: negativePrompt = "" } = call;
  const count = (call.batch_size ?? 1) * (call.n_iter ?? 1);
  if (count > MAX_IMAGES) refuseField("n_iter", `at most ${MAX_IMAGES} images are made at once`);
  const inputs = new Map(
    [files.image, files.mask].flatMap((file) => file ? [[sha256Of(file), file]] : []),
  );
  const first = firstRequest(call, files, context);
  const requests = Array.from({ length: count }, (_, k) => ({
    ...first,
    seed: first.seed + BigInt(k),
  }));
  return { requests, inputs, prompt, negativePrompt, batchSize: call.batch_size ?? 1 };
}

function firstRequest(
  call: A1111Call,
  { image, mask }: CallFiles,
  { defaults, loras, random }: CallContext,
): GenerationRequest {
  const tagged = takeLoraTags(call.prompt ?? "");
  const negative = takeLoraTags(call.negative_prompt ?? "");
  const prompts = { prompt: tagged.prompt.trim(), negativePrompt: negative.prompt.trim() };
  const weighted = Object.values(prompts).some((text) => /[()[\]\\]|\bBREAK\b|\bAND\b/.test(text));
  const skip = clipSkipOf(call);
  return decodeRequest({
    ...prompts,
    ...(weighted && { weighting: "a1111" }),
    adapters: tagged.loras.map((tag) => adapterOf(tag, loras)),
    steps: call.steps,
    guidanceScale: call.cfg_scale,
    width: sideOf(call.width),
    height: sideOf(call.height),
    scheduler: schedulerFor(call),
    seed: seedOf(call.seed, random),
    ...(skip > 0 && { clipSkip: skip }),
    ...(image && { image: sha256Of(image), strength: strengthOf(call) }),
    ...(mask && { mask: sha256Of(mask) }),
  }, { ...defaults, seed: 0n });
}

/** Undefined for the model's own. */
function schedulerFor(call: A1111Call): GenerationRequest["scheduler"] {
  const name = call.sampler_name || call.sampler_index;
  if (!name) return undefined;
  return schedulerOf(samplerChoice(name, call.scheduler));
}

function adapterOf(
  { name, unetScale, textScale, tag }: ReturnType<typeof takeLoraTags>["loras"][number],
  known: readonly NamedLora[],
): GenerationRequest["adapters"][number] {
  const lora = known.find((each) => each.name === name);
  if (!lora) refuseField("prompt", `${tag}: no such LoRA; /sdapi/v1/loras lists them`);
  if (unetScale !== textScale) refuseField("prompt", `${tag}: a LoRA has one weight here`);
  return { sha256: lora.sha256, scale: unetScale };
}

/** AUTOMATIC1111 counts from 1, diffusers from 0. */
function clipSkipOf({ clip_skip: own, override_settings: settings = {} }: A1111Call): number {
  const stop = Number(settings.CLIP_stop_at_last_layers ?? own ?? 1);
  if (Number.isInteger(stop) && stop >= 1 && stop <= 12) return stop - 1;
  return refuseField("override_settings", "CLIP_stop_at_last_layers is 1 to 12");
}

/** Latents are an eighth of an image: what is left over is cut off, as there. */
function sideOf(pixels: number | undefined): number | undefined {
  return pixels === undefined ? undefined : pixels - pixels % LATENT_SCALE;
}

function seedOf(seed: A1111Call["seed"], random: () => number): bigint {
  const text = String(seed ?? "").trim();
  if (text === "" || text === "-1") return BigInt(Math.floor(random() * RANDOM_SEEDS));
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  return refuseField("seed", "a seed is a whole number, or -1 for a random one");
}

function strengthOf({ denoising_strength: strength = STRENGTH }: A1111Call): number {
  if (strength > 0) return strength;
  return refuseField("denoising_strength", "it is 0, and the image would stay as it is");
}

/** What would make another image than is asked for. */
function refuseUnsupported(call: A1111Call, { model }: CallContext): void {
  const { override_settings: settings = {}, alwayson_scripts: scripts = {} } = call;
  if (call.script_name) throw new A1111Error(422, `Script '${call.script_name}' not found`);
  const [script] = Object.keys(scripts);
  if (script) throw new A1111Error(422, `always on script ${script} not found`);
  if (call.restore_faces) refuseField("restore_faces", "faces are not restored here");
  if (call.tiling) {
    refuseField(
      "tiling",
      "a receipt cannot say that an image wraps around: say false, and draw the seams anew with a " +
        "mask of img2img",
    );
  }
  if (call.subseed_strength) {
    refuseField(
      "subseed_strength",
      "noise is of one seed, so that anybody can draw it again: say 0, and vary the image by " +
        "img2img with a low denoising_strength",
    );
  }
  if ((call.seed_resize_from_w ?? 0) > 0 || (call.seed_resize_from_h ?? 0) > 0) {
    refuseField("seed_resize_from_w", "noise is drawn at the image's own size: say 0");
  }
  if (call.styles?.some((name) => !/^none$/i.test(name))) {
    refuseField("styles", "there are no styles here");
  }
  if ((call.initial_noise_multiplier ?? 1) !== 1) {
    refuseField("initial_noise_multiplier", "noise is not scaled here");
  }
  if (call.refiner_checkpoint) refuseField("refiner_checkpoint", "there is no refiner here");
  const checkpoint = settings.sd_model_checkpoint;
  if (checkpoint !== undefined && checkpoint !== "" && !namesModel(String(checkpoint), model)) {
    refuseField("override_settings", `there is no model ${checkpoint}; this one has ${model}`);
  }
}

/** A title is `name.ext [hash]`. */
export function namesModel(title: string, model: string): boolean {
  return title.replace(/ \[[0-9a-f]+\]$/, "") === model;
}
