import { z } from "zod";
import { AppError } from "../error.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import { isModelPath } from "./model_path.ts";

/** The file that a diffusers folder starts from. */
export const MODEL_INDEX = "model_index.json";

/** Ends the errors about a folder's layout. */
export const LAYOUT_REMEDY = "A model is a folder in diffusers' layout, with weights in " +
  "safetensors or ONNX files";

/** What `model_index.json` says, with `vae` as the two graphs that an ONNX export makes of it. */
export interface ModelIndex {
  /** The pipeline, such as `StableDiffusionXLPipeline`. */
  readonly className: string;
  readonly parts: readonly string[];
  /** The file as it is, for settings such as `force_zeros_for_empty_prompt`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** True when there is no such file, and this was made up from the parts that there are. */
  readonly inferred?: boolean;
}

const indexSchema = z.looseObject({ _class_name: z.string() });

/**
 * Decodes `model_index.json`; a part that is `[null, null]` is one the pipeline goes without.
 * @throws AppError `model_invalid`.
 */
export function decodeModelIndex(json: unknown, model: string): ModelIndex {
  const decoded = indexSchema.safeParse(json);
  if (!decoded.success) {
    throw new AppError(
      "model_invalid",
      `Cannot read ${MODEL_INDEX} of ${model}: "_class_name" is missing. ${LAYOUT_REMEDY}`,
      { cause: decoded.error },
    );
  }
  const parts = Object.entries(decoded.data)
    .filter(([name, value]) => isModelPath(name) && isPart(value))
    .flatMap(([name]) => name === "vae" ? ["vae_decoder", "vae_encoder"] : [name]);
  const { _class_name: className } = decoded.data;
  return { className, parts: [...new Set(parts)], json: decoded.data };
}

function isPart(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === "string");
}

/** Without these no pipeline draws; `unet` first, as the most telling. */
const NEEDED_PARTS = ["unet", "vae_decoder", "text_encoder", "tokenizer", "scheduler"];
const FURTHER_PARTS = ["text_encoder_2", "tokenizer_2", "vae_encoder"];

/** Every part that a folder without {@link MODEL_INDEX} may have. */
export const INFERABLE_PARTS: readonly string[] = [...NEEDED_PARTS, ...FURTHER_PARTS];

/**
 * The index of a folder that has none: SDXL's pipeline where there is a second text encoder.
 * @param hasPart whether the folder has any file of a part.
 * @returns undefined when it has no UNet, so that it is no such folder at all.
 */
export function inferModelIndex(hasPart: (part: string) => boolean): ModelIndex | undefined {
  if (!hasPart("unet")) return undefined;
  // In safetensors one folder has both halves of the VAE.
  const has = (part: string) => hasPart(part) || (part === "vae_encoder" && hasPart("vae"));
  const parts = [...NEEDED_PARTS, ...FURTHER_PARTS.filter(has)];
  const className = hasPart("text_encoder_2")
    ? "StableDiffusionXLPipeline"
    : "StableDiffusionPipeline";
  return { className, parts, json: { _class_name: className }, inferred: true };
}

/** Families that denoise with a transformer in place of a UNet. */
export type TransformerFamily = "sd3" | "flux";

const TRANSFORMERS: Readonly<Record<string, TransformerFamily>> = {
  StableDiffusion3Pipeline: "sd3",
  FluxPipeline: "flux",
};

/** @returns undefined for pipelines with a UNet, and for those that are not built. */
export function transformerFamily({ className, parts }: ModelIndex): TransformerFamily | undefined {
  const known = parts.includes("transformer") && Object.hasOwn(TRANSFORMERS, className);
  return known ? TRANSFORMERS[className] : undefined;
}

/** Whether it has SDXL's second text encoder. */
export function isXl(index: ModelIndex): boolean {
  return index.parts.includes("text_encoder_2") && !transformerFamily(index);
}

/** The part that denoises. */
export function denoiserPart(index: ModelIndex): "unet" | "transformer" {
  return transformerFamily(index) ? "transformer" : "unet";
}

/** Whether images can be made with the models of a pipeline. */
export function isPipelineBuilt(index: ModelIndex): boolean {
  return index.parts.includes(denoiserPart(index));
}

/**
 * Refuses pipelines that are not built, before their weights are fetched.
 * @throws AppError `unsupported_setting`.
 */
export function requirePipeline(index: ModelIndex, model: string): void {
  if (!isPipelineBuilt(index)) throw pipelineNotBuilt(model, index.className);
}

/** @param pipeline by its class. */
function pipelineNotBuilt(model: string, pipeline: string): AppError {
  return new AppError(
    "unsupported_setting",
    `Cannot make images with ${model}: its pipeline, ${pipeline.slice(0, 80)}, is not built yet. ` +
      "Take a model of Stable Diffusion 1.x, 2.x, SDXL, 3 or 3.5, or of FLUX.1",
  );
}

/**
 * What pipeline a folder is of, from its {@link MODEL_INDEX} or else from its parts.
 * @throws AppError `model_invalid`.
 */
export async function readModelIndex(files: ModelFiles): Promise<ModelIndex> {
  if (files.has(MODEL_INDEX)) {
    return decodeModelIndex(await readJson(files, MODEL_INDEX), files.name);
  }
  const hasPart = (part: string) => files.paths.some((path) => path.startsWith(`${part}/`));
  const inferred = inferModelIndex(hasPart);
  if (inferred) return inferred;
  throw new AppError(
    "model_invalid",
    `Cannot use the model ${files.name}: it has no ${MODEL_INDEX} and no unet (in ${files.location}). ` +
      LAYOUT_REMEDY,
  );
}
