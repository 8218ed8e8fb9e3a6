import { AppError } from "../error.ts";
import { readTensorIndex, type TensorIndex } from "../safetensors/mod.ts";
import { type GraphWeights, graphWeights } from "./external_data.ts";
import type { ModelFiles } from "./model_files.ts";
import {
  denoiserPart,
  LAYOUT_REMEDY,
  MODEL_INDEX,
  type ModelIndex,
  readModelIndex,
} from "./model_index.ts";
import {
  candidateNames,
  chooseNetwork,
  configsOf,
  folderOfWeights,
  hasVariant,
  variantNames,
} from "./network_files.ts";

/** What of a model is wanted. */
export interface FileSelection {
  /** Weights to prefer, in diffusers' naming: `fp16` takes `model.fp16.safetensors` where it is. */
  readonly variant?: string;
  /** A checkpoint in one file is wanted, this one. */
  readonly file?: string;
  /** Parts wanted beyond those that draw an image, such as `vae_encoder`. */
  readonly include?: readonly string[];
}

/** One network of a model as an ONNX file. */
export interface GraphFiles extends GraphWeights {
  /** `unet/model.onnx`. */
  readonly graph: string;
  /** `unet/config.json`, or another file that says the same, if the export has one. */
  readonly config?: string;
}

/** One network of a model as its weights: its graph is written from its configuration. */
export interface WeightFiles {
  /** `unet/diffusion_pytorch_model.safetensors`, or the `.index.json` of several. */
  readonly weights: string;
  /** `unet/config.json`. */
  readonly config: string;
  /** Both halves of a VAE for each of them. */
  readonly tensors: TensorIndex;
}

export type NetworkFiles = GraphFiles | WeightFiles;

/** A model folder whose needed files are all there and none of them is cut. */
export interface ModelLayout {
  readonly index: ModelIndex;
  /** By part: `unet` or `transformer`, `vae_decoder`, `text_encoder`, ... */
  readonly networks: Readonly<Record<string, NetworkFiles>>;
  /** Of the networks the one that denoises, where the pipeline is one that is built. */
  readonly denoiser: NetworkFiles;
  /** Every file that the selection needs, sorted. */
  readonly paths: readonly string[];
}

/** The part that images which come in need, and that a model may lack. */
const ENCODER = "vae_encoder";

const UNUSED_PARTS = [ENCODER, "safety_checker", "feature_extractor", "image_encoder"];
const TOKENIZER_FILES = [
  "vocab.json",
  "merges.txt",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
];

/** The same with the VAE's encoder. */
export function encoderToo(selection: FileSelection): FileSelection {
  return { ...selection, include: [...selection.include ?? [], ENCODER] };
}

/** The parts of a model that a selection needs. */
export function selectedParts(index: ModelIndex, { include = [] }: FileSelection): string[] {
  return index.parts.filter((part) => !UNUSED_PARTS.includes(part) || include.includes(part));
}

/** Every file that a part may have; the folder decides which of them there are. */
export function candidateFiles(part: string, { variant }: FileSelection): string[] {
  const otherFiles = filesBesideNetworks(part);
  return otherFiles?.map((name) => `${part}/${name}`) ?? candidateNames(part, variant);
}

/** What a part has that is no network; undefined for networks. */
function filesBesideNetworks(part: string): readonly string[] | undefined {
  if (part.startsWith("tokenizer")) return TOKENIZER_FILES;
  if (part === "scheduler") return ["scheduler_config.json"];
  if (part === "feature_extractor") return ["preprocessor_config.json"];
  return undefined;
}

/**
 * Chooses among the files that a folder has.
 * @param elsewhere folders of parts whose weights lie in another file.
 * @throws AppError `model_invalid` that names the file or variant that is missing.
 */
export function chooseFiles(
  index: ModelIndex,
  has: (path: string) => boolean,
  selection: FileSelection,
  model: string,
  elsewhere: readonly string[] = [],
): string[] {
  const parts = selectedParts(index, selection);
  checkVariant(parts, has, selection, model);
  const chosen = parts.flatMap((part) =>
    filesBesideNetworks(part)
      ? chooseBesideNetworks(part, has, model)
      : elsewhere.includes(folderOfWeights(part))
      ? [`${folderOfWeights(part)}/config.json`]
      : chooseNetwork(part, has, selection.variant, model)
  );
  return [...new Set([...(index.inferred ? [] : [MODEL_INDEX]), ...chosen])];
}

function chooseBesideNetworks(
  part: string,
  has: (path: string) => boolean,
  model: string,
): string[] {
  for (const path of requiredFiles(part, has)) {
    if (!has(path)) throw incomplete(model, path);
  }
  return candidateFiles(part, {}).filter(has);
}

function requiredFiles(part: string, has: (path: string) => boolean): string[] {
  if (part === "scheduler") return ["scheduler/scheduler_config.json"];
  if (part === "feature_extractor") return [];
  // Of a unigram model, as T5's is, there are no such two, and spiece.model is not read.
  const older = [`${part}/vocab.json`, `${part}/merges.txt`];
  return has(`${part}/tokenizer.json`) || !older.some(has) ? [`${part}/tokenizer.json`] : older;
}

function checkVariant(
  parts: readonly string[],
  has: (path: string) => boolean,
  { variant }: FileSelection,
  model: string,
): void {
  const networks = parts.filter((part) => !filesBesideNetworks(part));
  if (!variant || networks.some((part) => hasVariant(part, has, variant))) return;
  throw new AppError(
    "model_not_found",
    `Cannot use variant ${variant} of ${model}: no part has a ${
      variantNames(variant).join(" or a ")
    }`,
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
  const elsewhere = Object.keys(files.tensors ?? {});
  const has = (path: string) => files.has(path);
  const paths = chooseFiles(index, has, selection, files.name, elsewhere);
  const networks: Record<string, NetworkFiles> = {};
  for (const part of selectedParts(index, selection)) {
    const network = await networkFiles(files, part, paths);
    if (network) networks[part] = network;
  }
  const weights = Object.values(networks).flatMap(weightPaths);
  const denoiser = networks[denoiserPart(index)];
  return { index, networks, denoiser, paths: [...new Set([...paths, ...weights])].sort() };
}

/**
 * The layout with the VAE's encoder.
 * @returns undefined for a model that has none.
 */
export async function layoutWithEncoder(
  files: ModelFiles,
  selection: FileSelection = { variant: files.variant },
): Promise<ModelLayout | undefined> {
  const layout = await readLayout(files, encoderToo(selection)).catch((error) => {
    if (error instanceof AppError && error.code === "model_invalid") return undefined;
    throw error;
  });
  return layout?.networks[ENCODER] && layout;
}

/** Files of weights that no list of a folder's files leads to, but the graph or the index. */
function weightPaths(network: NetworkFiles): string[] {
  return "graph" in network
    ? network.external.map(({ path }) => path)
    : [...network.tensors.values()].map(({ path }) => path);
}

/**
 * One part by itself, of whatever model: its files need not be named by the index.
 * @throws AppError `model_invalid` when it has none.
 */
export async function partNetwork(files: ModelFiles, part: string): Promise<NetworkFiles> {
  const has = (path: string) => files.has(path);
  const paths = files.tensors?.[folderOfWeights(part)]
    ? []
    : chooseNetwork(part, has, files.variant, files.name);
  const network = await networkFiles(files, part, paths);
  if (network) return network;
  throw incomplete(files.name, `${part}/config.json`);
}

async function networkFiles(
  files: ModelFiles,
  part: string,
  paths: readonly string[],
): Promise<NetworkFiles | undefined> {
  const graph = paths.find((path) => path.startsWith(`${part}/`) && path.endsWith(".onnx"));
  if (graph) return await graphFiles(files, part, graph);
  const folder = folderOfWeights(part);
  const config = `${folder}/config.json`;
  const tensors = files.tensors?.[folder];
  if (tensors) return { weights: firstFile(tensors), config, tensors };
  const weights = paths.find((path) => path.startsWith(`${folder}/`) && isWeights(path));
  if (!weights) return undefined;
  return { weights, config, tensors: await readTensorIndex(files, weights) };
}

function firstFile(tensors: TensorIndex): string {
  const [first] = tensors.values();
  return first.path;
}

function isWeights(path: string): boolean {
  return /\.safetensors(\.index(\.\w+)?\.json)?$/.test(path);
}

async function graphFiles(files: ModelFiles, part: string, graph: string): Promise<GraphFiles> {
  const weights = await graphWeights(files, graph);
  for (const { path, bytes } of weights.external) checkExternal(files, graph, path, bytes);
  const config = configsOf(part).find((path) => files.has(path));
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
