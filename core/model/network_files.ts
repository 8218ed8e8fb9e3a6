import { AppError } from "../error.ts";
import { LAYOUT_REMEDY } from "./model_index.ts";

type Has = (path: string) => boolean;

/** Weights in pickles, which run code when they are opened: looked for only to say so. */
const PICKLES = ["diffusion_pytorch_model.bin", "pytorch_model.bin"];
/** Taken in this order where no variant is asked for: some folders hold a variant alone. */
const USUAL_VARIANTS = [undefined, "fp16", "bf16"] as const;

/** Where the weights of a part are: a VAE is one file, and an ONNX export makes two parts of it. */
export function folderOfWeights(part: string): string {
  return /^vae_(?:de|en)coder$/.test(part) ? "vae" : part;
}

/** Where a part's configuration may be: an export splits the VAE, and not each splits its config. */
export function configsOf(part: string): string[] {
  const halves = ["vae", "vae_decoder", "vae_encoder"].filter((folder) => folder !== part);
  const folders = part.startsWith("vae_") ? [part, ...halves] : [part];
  return folders.map((folder) => `${folder}/config.json`);
}

/** Every file that a network may have. */
export function candidateNames(part: string, variant: string | undefined): string[] {
  const graphs = graphPaths(part, variant);
  const data = graphs.flatMap((graph) => [`${graph}_data`, `${graph}.data`]);
  const pickles = PICKLES.map((name) => `${folderOfWeights(part)}/${name}`);
  return [
    ...configsOf(part),
    ...graphs,
    ...data,
    `${part}/weights.pb`,
    ...weightPaths(part, variant),
    ...pickles,
  ];
}

/** The variant's two spellings, diffusers' first, before the weights without one. */
function graphPaths(part: string, variant: string | undefined): string[] {
  const names = variant ? [`model.${variant}.onnx`, `model_${variant}.onnx`] : [];
  return [...names, "model.onnx"].map((name) => `${part}/${name}`);
}

/** Weights in safetensors, the preferred ones first; of each, one file before several. */
function weightPaths(part: string, variant: string | undefined): string[] {
  const variants = variant ? [variant, undefined] : USUAL_VARIANTS;
  return variants.flatMap((each) => namesOfWeights(part, each));
}

function namesOfWeights(part: string, variant: string | undefined): string[] {
  const name = part.startsWith("text_encoder") ? "model" : "diffusion_pytorch_model";
  const infix = variant ? `.${variant}` : "";
  const names = [
    `${name}${infix}.safetensors`,
    `${name}.safetensors.index${infix}.json`,
  ];
  return names.map((file) => `${folderOfWeights(part)}/${file}`);
}

/** What names a variant's files, for people. */
export function variantNames(variant: string): string[] {
  return [`model.${variant}.safetensors`, `model.${variant}.onnx`, `model_${variant}.onnx`];
}

export function hasVariant(part: string, has: Has, variant: string): boolean {
  return [...graphPaths(part, variant).slice(0, -1), ...namesOfWeights(part, variant)].some(has);
}

/**
 * The files of one network: weights in safetensors with their configuration, which are what is published,
 * or else an ONNX file.
 * @throws AppError `model_invalid` when it has neither.
 */
export function chooseNetwork(
  part: string,
  has: Has,
  variant: string | undefined,
  model: string,
): string[] {
  const config = `${folderOfWeights(part)}/config.json`;
  const weights = weightPaths(part, variant).find(has);
  if (weights && has(config)) return [config, weights];
  const graph = graphPaths(part, variant).find(has);
  if (!graph) throw noNetwork(part, has, weights, model);
  const configs = configsOf(part);
  const [first] = configs.filter(has);
  // Of two sets of weights only the chosen one; `weights.pb` belongs to whichever names it.
  const mine = candidateNames(part, variant).filter((path) =>
    has(path) && (path.startsWith(graph) || path === `${part}/weights.pb`)
  );
  return [...first ? [first] : [], ...mine];
}

function noNetwork(part: string, has: Has, weights: string | undefined, model: string): AppError {
  const folder = folderOfWeights(part);
  const [usual] = namesOfWeights(part, undefined);
  const pickle = PICKLES.map((name) => `${folder}/${name}`).find(has);
  const why = weights
    ? `${folder}/config.json, which says what ${weights} are the weights of, is missing`
    : pickle
    ? `${pickle} is a pickle, which can run code when it is opened, and is not read. Take a copy ` +
      "of the model in safetensors"
    : `it has neither ${usual} nor ${part}/model.onnx. ${LAYOUT_REMEDY}`;
  return new AppError("model_invalid", `Cannot use the model ${model}: ${why}`);
}
