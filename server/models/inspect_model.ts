import { stat } from "node:fs/promises";
import { AppError } from "../../core/error.ts";
import {
  type Looking,
  lookUp,
  lookUpModel,
  MODEL_INDEX,
  type ModelFiles,
  openHub,
  openUrl,
  openUrlFile,
  parseModelSource,
  type RemoteFile,
  RemoteFiles,
  type RemoteFolder,
  unknownModel,
} from "../../core/model/mod.ts";
import { CheckpointFile } from "./checkpoint_file.ts";
import { FolderFiles } from "./folder_files.ts";
import { fileNameOf, openModel, wholeModel } from "./open_model.ts";
import { type Opening, type OpenModelOptions, withDefaults } from "./opening.ts";

/** Names that a lone file of weights has in a folder or repository: a LoRA, a VAE, a text encoder. */
const LONE_FILES = [
  "pytorch_lora_weights.safetensors",
  "diffusion_pytorch_model.safetensors",
  "model.safetensors",
];

/**
 * Opens a model to look at it: of what lies on a server, only what is read afterwards is fetched, and
 * nothing is kept.
 * @param given as for {@link openModel}.
 * @returns the files of a folder, or of one file as it is.
 * @throws AppError as {@link openModel}.
 */
export async function inspectModel(
  given: string,
  options: OpenModelOptions = {},
): Promise<ModelFiles> {
  const opening = await withDefaults(given, options);
  const { hub, web, signal, catalogue } = opening;
  const source = parseModelSource(given, catalogue);
  switch (source.kind) {
    case "embedded":
      return await openModel(given, options);
    case "folder":
      return await localFiles(source.path, opening);
    case "hub": {
      const remote = await openHub(source, hub, web, signal);
      return await remoteFiles(remote, opening, source.file);
    }
    case "url":
      return await remoteFiles(openUrl(source.base, web, signal), opening);
    case "file": {
      const file = fileNameOf(source.url);
      return await remoteFiles(openUrlFile(source.url, file, web, signal), opening, file);
    }
    default:
      return source satisfies never;
  }
}

/** A checkpoint in one file as the folder that it stands for. */
export async function inspectCheckpoint(
  files: ModelFiles,
  options: OpenModelOptions,
): Promise<ModelFiles> {
  return await wholeModel(files, await withDefaults(files.name, options));
}

async function localFiles(path: string, { variant, catalogue }: Opening): Promise<ModelFiles> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return new CheckpointFile(path, found.size, variant);
  if (!found?.isDirectory()) {
    throw unknownModel(path, catalogue, "there is no such folder or file");
  }
  const files = await FolderFiles.open({ name: path, location: path, variant });
  if (files.has(MODEL_INDEX) || files.paths.some((each) => each.startsWith("unet/"))) return files;
  const lone = LONE_FILES.filter((each) => files.has(each));
  if (lone.length === 0) {
    const why = `the folder has neither a ${MODEL_INDEX} nor a unet folder, nor ${
      LONE_FILES.join(" or ")
    }`;
    throw unknownModel(path, catalogue, why);
  }
  return await FolderFiles.open({ name: path, location: path, only: lone.slice(0, 1) });
}

async function remoteFiles(
  remote: RemoteFolder,
  opening: Opening,
  file?: string,
): Promise<ModelFiles> {
  const looking = { remote, selection: opening.selection, expected: {} };
  if (file === undefined) return await remoteFolder(looking, opening);
  const found = await remote.find(file);
  if (found) return filesAt(remote, [found], opening);
  const why = `${remote.name} has no such file, or answers with a page: it may ask to log in`;
  throw new AppError("model_not_found", `Cannot find the model ${file}: ${why}`);
}

async function remoteFolder(looking: Looking, opening: Opening): Promise<ModelFiles> {
  const { remote } = looking;
  const first = await lookUp(looking, [MODEL_INDEX, ...LONE_FILES]);
  const lone = LONE_FILES.flatMap((path) => first.get(path) ?? []);
  const read = (files: readonly RemoteFile[]) => filesAt(remote, files, opening);
  if (!first.has(MODEL_INDEX) && lone.length > 0) return read(lone.slice(0, 1));
  return read(await lookUpModel(looking, read));
}

function filesAt(
  { name }: RemoteFolder,
  files: readonly RemoteFile[],
  { web, signal, variant }: Opening,
): ModelFiles {
  return new RemoteFiles({ name, variant }, files, web, signal);
}
