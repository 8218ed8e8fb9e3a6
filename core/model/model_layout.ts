import { AppError } from "../error.ts";
import { type GraphWeights, graphWeights } from "./external_data.ts";
import type { ModelFiles } from "./model_files.ts";
import { LAYOUT_REMEDY, MODEL_INDEX, type ModelIndex, readModelIndex } from "./model_index.ts";

/** What of a model is wanted. */
export interface FileSelection {
  /** Weights to prefer: `fp16` takes `model.fp16.onnx` or `model_fp16.onnx` where there is one. */
  readonly variant?: string;
  /** Parts wanted beyond those that draw an image, such as `vae_encoder`. */
  readonly include?: readonly string[];
}

/** One network of a model. */
export interface GraphFiles extends GraphWeights {
  /** `unet/model.onnx`. */
  readonly graph: string;
  /** `unet/config.json`, or another file that says the same, if the export has one. */
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

/** The parts of a model that a selection needs. */
export function selectedParts(index: ModelIndex, { include = [] }: FileSelection): string[] {
  return index.parts.filter((part) => !UNUSED_PARTS.includes(part) || include.includes(part));
}

/** Every file that a part may have; the folder decides which of them there are. */
export function candidateFiles(part: string, selection: FileSelection): string[] {
  const names = candidateNames(part, selection).map((name) => `${part}/${name}`);
  return [...names, ...configsOf(part).slice(1)];
}

/** Where a part's configuration may be: an export splits the VAE, and not each splits its config. */
export function configsOf(part: string): string[] {
  const halves = ["vae", "vae_decoder", "vae_encoder"].filter((folder) => folder !== part);
  const folders = part.startsWith("vae_") ? [part, ...halves] : [part];
  return folders.map((folder) => `${folder}/config.json`);
}

/** The variant's two spellings, diffusers' first, before the weights without one. */
function graphNames({ variant }: FileSelection): string[] {
  return variant
    ? [`model.${variant}.onnx`, `model_${variant}.onnx`, "model.onnx"]
    : ["model.onnx"];
}

function candidateNames(part: string, selection: FileSelection): string[] {
  if (part.startsWith("tokenizer")) return TOKENIZER_FILES;
  if (part === "scheduler") return ["scheduler_config.json"];
  if (part === "feature_extractor") return ["preprocessor_config.json"];
  const graphs = graphNames(selection);
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
  const chosen = parts.flatMap((part) => chooseOfPart(part, has, selection, model));
  return [...new Set([...(index.inferred ? [] : [MODEL_INDEX]), ...chosen])];
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
  const configs = configsOf(part);
  const config = configs.find(has);
  // Of two sets of weights only the chosen one; `weights.pb` belongs to whichever names it.
  return found.filter((path) =>
    configs.includes(path) ? path === config : !path.includes(".onnx") || path.startsWith(graph)
  );
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
  selection: FileSelection,
): string {
  const graphs = graphNames(selection).map((name) => `${part}/${name}`);
  return graphs.find(has) ?? `${part}/model.onnx`;
}

function checkVariant(
  parts: readonly string[],
  has: (path: string) => boolean,
  selection: FileSelection,
  model: string,
): void {
  const { variant } = selection;
  const special = graphNames(selection).slice(0, -1);
  if (!variant) return;
  if (parts.some((part) => special.some((name) => has(`${part}/${name}`)))) return;
  throw new AppError(
    "model_not_found",
    `Cannot use variant ${variant} of ${model}: no part has a ${special.join(" or a ")}`,
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
  const index = await readModelIndex(files);
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
  const config = configsOf(partOf(graph)).find((path) => files.has(path));
  return { graph, ...weights, ...(config === undefined ? {} : { config }) };
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

/** The error for a file of weights that a graph names and that is missing. */
function missingWeights(model: string, graph: string, path: string): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use the model ${model}: ${path}, which holds weights of ${graph}, is missing`,
  );
}

function partOf(path: string): string {
  return path.slice(0, path.indexOf("/"));
}
