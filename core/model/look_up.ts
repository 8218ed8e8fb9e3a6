import { AppError } from "../error.ts";
import { shardPaths } from "../safetensors/mod.ts";
import type { ExpectedFile } from "./catalogue.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import {
  decodeModelIndex,
  INFERABLE_PARTS,
  inferModelIndex,
  LAYOUT_REMEDY,
  MODEL_INDEX,
  type ModelIndex,
} from "./model_index.ts";
import {
  candidateFiles,
  chooseFiles,
  encoderToo,
  type FileSelection,
  selectedParts,
} from "./model_layout.ts";
import type { RemoteFile, RemoteFolder } from "./remote_folder.ts";

/** A model's folder on a server, of which files are looked for. */
export interface Looking {
  readonly remote: RemoteFolder;
  readonly selection: FileSelection;
  /** The catalogue's facts of the files, which override the server's. */
  readonly expected: Readonly<Record<string, ExpectedFile>>;
}

const PARALLEL_LOOKUPS = 8;

/** Which of the paths the server has. */
export async function lookUp(
  looking: Looking,
  paths: readonly string[],
): Promise<Map<string, RemoteFile>> {
  const found = new Map<string, RemoteFile>();
  const queue = paths.values();
  const work = async () => {
    for (const path of queue) {
      const file = await lookUpFile(looking, path);
      if (file) found.set(path, file);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LOOKUPS }, work));
  return found;
}

/** Undefined when the server has no such file. */
export async function lookUpFile(
  { remote, expected }: Looking,
  path: string,
): Promise<RemoteFile | undefined> {
  const file = await remote.find(path);
  return file && { ...file, ...expected[path] };
}

/**
 * Files that a selection of a model needs, with the VAE's encoder where there is one, as far as their names follow from its index: shards, and
 * weights outside of graphs, are named by these.
 * @throws AppError `model_invalid` naming what is missing.
 */
export async function lookUpParts(
  looking: Looking,
  index: ModelIndex,
): Promise<readonly RemoteFile[]> {
  const { remote, selection } = looking;
  const withEncoder = encoderToo(selection);
  const candidates = selectedParts(index, withEncoder).flatMap((part) =>
    candidateFiles(part, selection)
  );
  const found = await lookUp(looking, [...new Set([MODEL_INDEX, ...candidates])]);
  const choose = (wanted: FileSelection) =>
    chooseFiles(index, (path) => found.has(path), wanted, remote.name)
      .flatMap((path) => found.get(path) ?? []);
  try {
    return choose(withEncoder);
  } catch {
    // Images are made without one; what else is missing is named now.
    return choose(selection);
  }
}

/**
 * Every file that a selection of a safetensors model needs, shards included.
 * @param read makes files of those that were found: of them the indices are read.
 * @throws AppError `model_not_found`, `model_invalid`, `download_failed`.
 */
export async function lookUpModel(
  looking: Looking,
  read: (files: readonly RemoteFile[]) => ModelFiles,
): Promise<readonly RemoteFile[]> {
  const file = await lookUpFile(looking, MODEL_INDEX);
  const index = file
    ? decodeModelIndex(await readJson(read([file]), MODEL_INDEX), looking.remote.name)
    : await indexOfParts(looking);
  const parts = await lookUpParts(looking, index);
  const shards = await lookUp(looking, await namedShards(read(parts)));
  return [...parts, ...shards.values()];
}

/** Shards, by the indices that are among the files. */
export async function namedShards(files: ModelFiles): Promise<readonly string[]> {
  const indices = files.paths.filter((path) => /\.safetensors\.index\b.*\.json$/.test(path));
  return (await Promise.all(indices.map((path) => shardPaths(files, path)))).flat();
}

/**
 * A server answers for one file at a time: a part is there when any of its files is.
 * @throws AppError `model_not_found` where there is no UNet.
 */
export async function indexOfParts(looking: Looking): Promise<ModelIndex> {
  const { remote, selection } = looking;
  const candidates = INFERABLE_PARTS.flatMap((part) => candidateFiles(part, selection));
  const found = [...(await lookUp(looking, candidates)).keys()];
  const index = inferModelIndex((part) => found.some((path) => path.startsWith(`${part}/`)));
  if (index) return index;
  const why = `it has neither a ${MODEL_INDEX} nor a unet. ${LAYOUT_REMEDY}`;
  throw new AppError("model_not_found", `Cannot find a model at ${remote.name}: ${why}`);
}
