import { z } from "zod";
import { AppError } from "../error.ts";
import { type GraphWeights, graphWeights } from "./external_data.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import { isModelPath } from "./model_path.ts";

/** The file that every diffusers folder starts from. */
export const MODEL_INDEX = "model_index.json";

/** What of a model is wanted. */
export interface FileSelection {
  /** Weights to prefer, in diffusers' naming: `fp16` takes `model.fp16.onnx` where there is one. */
  readonly variant?: string;
  /** Parts wanted beyond those that draw an image, such as `vae_encoder`. */
  readonly include?: readonly string[];
}

/** What `model_index.json` says, with `vae` as the two graphs that an ONNX export makes of it. */
export interface ModelIndex {
  /** The pipeline, such as `StableDiffusionXLPipeline`. */
  readonly className: string;
  readonly parts: readonly string[];
  /** The file as it is, for settings such as `force_zeros_for_empty_prompt`. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** One network of a model. */
export interface GraphFiles extends GraphWeights {
  /** `unet/model.onnx`. */
  readonly graph: string;
  /** `unet/config.json`, if the export has one. */
  readonly config?: string;
}

/** A model folder whose needed files are all there and none of them is cut. */
export interface ModelLayout {
  readonly index: ModelIndex;
  /** By part: `unet`, `vae_decoder`, `text_encoder`, ... */
  readonly graphs: Readonly<Record<string, GraphFiles>>;
  /** Every file that the selection needs, sorted. */
  readonly paths: readonly string[];
}

const UNUSED_PARTS = ["vae_encoder", "safety_checker", "feature_extractor", "image_encoder"];
const TOKENIZER_FILES = [
  "vocab.json",
  "merges.txt",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
];
const LAYOUT_REMEDY = "A model is a folder in diffusers-ONNX layout, as " +
  "`optimum-cli export onnx` writes it";

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

/** The parts of a model that a selection needs. */
export function selectedParts(index: ModelIndex, { include = [] }: FileSelection): string[] {
  return index.parts.filter((part) => !UNUSED_PARTS.includes(part) || include.includes(part));
}

/** Every file that a part may have; which of them there are is for the folder to say. */
export function candidateFiles(part: string, selection: FileSelection): string[] {
  return candidateNames(part, selection).map((name) => `${part}/${name}`);
}

function candidateNames(part: string, { variant }: FileSelection): string[] {
  if (part.startsWith("tokenizer")) return TOKENIZER_FILES;
  if (part === "scheduler") return ["scheduler_config.json"];
  if (part === "feature_extractor") return ["preprocessor_config.json"];
  const graphs = variant ? [`model.${variant}.onnx`, "model.onnx"] : ["model.onnx"];
  const data = graphs.flatMap((graph) => [`${graph}_data`, `${graph}.data`]);
  return ["config.json", ...graphs, ...data, "weights.pb"];
}

/**
 * Chooses among the files that a folder has.
 * @throws AppError `model_invalid` that names the file or variant that is missing.
 */
export function chooseFiles(
  index: ModelIndex,
  has: (path: string) => boolean,
  selection: FileSelection,
  model: string,
): string[] {
  const parts = selectedParts(index, selection);
  checkVariant(parts, has, selection, model);
  return [MODEL_INDEX, ...parts.flatMap((part) => chooseOfPart(part, has, selection, model))];
}

function chooseOfPart(
  part: string,
  has: (path: string) => boolean,
  selection: FileSelection,
  model: string,
): string[] {
  for (const path of requiredFiles(part, has, selection)) {
    if (!has(path)) throw incomplete(model, path);
  }
  const found = candidateFiles(part, selection).filter(has);
  const graph = graphOf(part, has, selection);
  // Of two sets of weights only the chosen one; `weights.pb` belongs to whichever names it.
  return found.filter((path) => !path.includes(".onnx") || path.startsWith(graph));
}

function requiredFiles(
  part: string,
  has: (path: string) => boolean,
  selection: FileSelection,
): string[] {
  if (part === "scheduler") return ["scheduler/scheduler_config.json"];
  if (part === "feature_extractor") return [];
  if (!part.startsWith("tokenizer")) return [graphOf(part, has, selection)];
  return has(`${part}/tokenizer.json`) ? [] : [`${part}/vocab.json`, `${part}/merges.txt`];
}

function graphOf(
  part: string,
  has: (path: string) => boolean,
  { variant }: FileSelection,
): string {
  const special = `${part}/model.${variant}.onnx`;
  return variant !== undefined && has(special) ? special : `${part}/model.onnx`;
}

function checkVariant(
  parts: readonly string[],
  has: (path: string) => boolean,
  { variant }: FileSelection,
  model: string,
): void {
  if (variant === undefined || parts.some((part) => has(`${part}/model.${variant}.onnx`))) return;
  throw new AppError(
    "model_not_found",
    `Cannot use variant ${variant} of ${model}: no part has a model.${variant}.onnx`,
  );
}

function incomplete(model: string, path: string): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use the model ${model}: ${path} is missing. ${LAYOUT_REMEDY}`,
  );
}

/**
 * Reads what a folder holds and checks that everything the selection needs is there: every part of
 * `model_index.json` has its files, no graph is cut short, and no external weights are.
 * Reads headers, not weights: milliseconds for a model of gigabytes.
 * @throws AppError `model_invalid` that names file and folder.
 */
export async function readLayout(
  files: ModelFiles,
  selection: FileSelection = { variant: files.variant },
): Promise<ModelLayout> {
  const index = decodeModelIndex(await readJson(files, MODEL_INDEX), files.name);
  const paths = chooseFiles(index, (path) => files.has(path), selection, files.name);
  const graphs: Record<string, GraphFiles> = {};
  for (const graph of paths.filter((path) => path.endsWith(".onnx"))) {
    graphs[partOf(graph)] = await graphFiles(files, graph);
  }
  const external = Object.values(graphs).flatMap((part) => part.external.map((e) => e.path));
  return { index, graphs, paths: [...new Set([...paths, ...external])].sort() };
}

async function graphFiles(files: ModelFiles, graph: string): Promise<GraphFiles> {
  const weights = await graphWeights(files, graph);
  for (const { path, bytes } of weights.external) checkExternal(files, graph, path, bytes);
  const config = `${partOf(graph)}/config.json`;
  return { graph, ...weights, ...(files.has(config) ? { config } : {}) };
}

function checkExternal(files: ModelFiles, graph: string, path: string, bytes: number): void {
  if (!files.has(path)) throw missingWeights(files.name, graph, path);
  if (files.size(path) < bytes) {
    throw new AppError(
      "model_invalid",
      `Cannot use the model ${files.name}: ${path} is cut short, it has ${
        files.size(path)
      } bytes of at least ${bytes} (in ${files.location})`,
    );
  }
}

/** "Cannot use the model": the file of weights that a graph names and nobody has. */
function missingWeights(model: string, graph: string, path: string): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use the model ${model}: ${path}, which holds weights of ${graph}, is missing`,
  );
}

function partOf(path: string): string {
  return path.slice(0, path.indexOf("/"));
}
