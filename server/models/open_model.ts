import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import {
  controlledUnetFiles,
  describeSource,
  hashFiles,
  isModelPath,
  MODEL_INDEX,
  type ModelFiles,
  type ModelSource,
  mountControl,
  openHub,
  openUrl,
  openUrlFile,
  parseModelSource,
  readLayout,
  readModelIndex,
  type RemoteFolder,
  requirePipeline,
  unknownModel,
  viewOf,
} from "../../core/model/mod.ts";
import { manifestHash } from "../../core/transcript/mod.ts";
import { adaptFiles } from "../../core/adapter/mod.ts";
import { checkpointFiles, openSingleFile, replaceVae } from "../../core/checkpoint/mod.ts";
import { CheckpointFile } from "./checkpoint_file.ts";
import { clipVocabularyFiles } from "./clip_vocabulary.ts";
import { readConfigs } from "./part_configs.ts";
import { damaged } from "./damage.ts";
import { fetchModel } from "./fetch_model.ts";
import { FolderFiles } from "./folder_files.ts";
import { lockFolder, sha256 } from "../storage/mod.ts";
import { CachedModel, cacheName } from "./model_cache.ts";
import { type Opening, type OpenModelOptions, withDefaults } from "./opening.ts";
import { resolveRevision } from "./resolve_revision.ts";

type CachedSource = Extract<ModelSource, { kind: "hub" | "url" | "file" }>;
type FileSource = Extract<ModelSource, { kind: "file" }>;
type HubSource = Extract<ModelSource, { kind: "hub" }>;

const MODELS_FOLDER = join(import.meta.dirname ?? ".", "../../models");
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Opens a model's files: an embedded model or a folder as it is, anything else through the
 * cache, fetched on first use. What it returns has every file that the selection needs.
 * @param given As for `parseModelSource`: `embedded`, a folder, `hf:owner/name[@revision]`, an address.
 * @throws AppError `model_not_found`, `model_invalid` (names the file), `unsupported_setting` (no
 *   pipeline for it is built), `download_failed`, `storage_failed`, `cancelled`.
 */
export async function openModel(
  given: string,
  options: OpenModelOptions = {},
): Promise<ModelFiles> {
  const opening = await withDefaults(given, options);
  const opened = await openSource(parseModelSource(given, opening.catalogue), opening);
  const whole = await withOtherVae(await wholeModel(opened, opening), opening);
  const files = await withControls(await withAdapters(whole, opening), opening);
  requirePipeline(await readModelIndex(files), files.name);
  await readLayout(files, opening.selection);
  if (opening.controls?.length) await controlledUnetFiles(files);
  return files;
}

/** A checkpoint in one file becomes the folder that it stands for. */
export async function wholeModel(files: ModelFiles, { configs }: Opening): Promise<ModelFiles> {
  const [path] = files.paths;
  if (files.paths.length !== 1 || path.endsWith(".json")) return files;
  const given = configs === undefined ? undefined : await readConfigs(configs);
  const model = await openSingleFile(files, path, { configs: given?.configs });
  return checkpointFiles(files, model, await clipVocabularyFiles(), given?.tokenizers);
}

/** A file that is a source of its own, by its name in a folder or repository, as diffusers saves it. */
interface LoneFile {
  readonly usual: string;
  /** Files of the folder that belong to it. */
  readonly beside?: readonly string[];
  /** The part of a whole model that it may lie in. */
  readonly part?: string;
}

const LORA: LoneFile = { usual: "pytorch_lora_weights.safetensors" };
const VAE: LoneFile = {
  usual: "diffusion_pytorch_model.safetensors",
  beside: ["config.json"],
  part: "vae",
};

const CONFIG = "config.json";
const CONTROL: LoneFile = {
  usual: "diffusion_pytorch_model.safetensors",
  beside: [CONFIG],
  part: "controlnet",
};

async function withAdapters(files: ModelFiles, opening: Opening): Promise<ModelFiles> {
  let adapted = files;
  for (const given of opening.adapters ?? []) {
    const file = await openLoneFile(parseModelSource(given), LORA, opening);
    const [hash] = Object.values(await hashFiles(file, { paths: file.paths, sha256 }));
    adapted = await adaptFiles(adapted, { files: file, sha256: hash });
  }
  return adapted;
}

async function withControls(files: ModelFiles, opening: Opening): Promise<ModelFiles> {
  let controlled = files;
  for (const given of opening.controls ?? []) {
    const control = await openControl(parseModelSource(given), opening);
    const hashes = await hashFiles(control, { paths: control.paths, sha256 });
    controlled = mountControl(controlled, { files: control, network: manifestHash(hashes) });
  }
  return controlled;
}

/** A ControlNet's configuration and weights, under their usual names. */
async function openControl(source: ModelSource, opening: Opening): Promise<ModelFiles> {
  const weights = await openLoneFile(source, CONTROL, opening);
  const config = source.kind === "hub"
    ? await openHubModel({ ...source, file: CONFIG }, opening)
    : weights;
  const [path] = weights.paths.filter((each) => each !== CONFIG);
  if (path !== CONTROL.usual || !config.has(CONFIG)) {
    const why = `it has no ${path === CONTROL.usual ? CONFIG : CONTROL.usual}`;
    throw new AppError("model_invalid", `Cannot use the ControlNet ${weights.name}: ${why}`);
  }
  return viewOf(weights, { written: new Map([[CONFIG, await config.bytes(CONFIG)]]) });
}

async function withOtherVae(files: ModelFiles, opening: Opening): Promise<ModelFiles> {
  if (opening.vae === undefined) return files;
  const vae = await openLoneFile(parseModelSource(opening.vae), VAE, opening);
  const [weights] = vae.paths.filter((path) => !VAE.beside?.includes(path));
  return await replaceVae(files, vae, weights);
}

/**
 * One file that is a source of its own: a path, a folder that has it, `hf:owner/name[/file]` or an address.
 * @param usual its name in a folder or repository where none is said.
 * @throws AppError as {@link openModel}.
 */
export async function openLone(
  given: string,
  usual: string,
  options: OpenModelOptions = {},
): Promise<ModelFiles> {
  return await openLoneFile(parseModelSource(given), { usual }, await withDefaults(given, options));
}

async function openLoneFile(
  source: ModelSource,
  { usual, beside = [], part = "" }: LoneFile,
  opening: Opening,
): Promise<ModelFiles> {
  if (source.kind === "hub") {
    return await openHubModel({ ...source, file: source.file ?? usual }, opening);
  }
  if (source.kind !== "folder") return await openSource(source, opening);
  const { path } = source;
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return new CheckpointFile(path, found.size);
  for (const location of [join(path, part), path]) {
    const files = await FolderFiles.open({ name: path, location, only: [...beside, usual] });
    if (files.has(usual)) return files;
  }
  const why = found ? `the folder has no ${usual}` : "there is none";
  throw new AppError("model_not_found", `Cannot find the file ${path}: ${why}`);
}

async function openSource(source: ModelSource, opening: Opening): Promise<ModelFiles> {
  switch (source.kind) {
    case "embedded":
      return await openEmbedded(source.id, opening);
    case "folder":
      return await openFolder(source.path, opening);
    case "hub":
      return await openHubModel(source, opening);
    case "url":
      return await openCached(
        source,
        opening,
        () => openUrl(source.base, opening.web, opening.signal),
      );
    case "file":
      return await openRemoteFile(source, opening);
    default:
      return source satisfies never;
  }
}

async function openEmbedded(id: string, { entry, variant, verify }: Opening): Promise<ModelFiles> {
  const files = await FolderFiles.open({ name: id, location: join(MODELS_FOLDER, id), variant });
  const expected = Object.entries(entry?.files ?? {});
  const [bad] = await damaged(files, expected, verify ?? false);
  if (!bad) return files;
  throw new AppError(
    "model_invalid",
    `Cannot use the model ${id}: ${bad.path} ${bad.why} in ${files.location}. Check the repository out again, or ` +
      "run `deno run -A models/write_catalogue.ts` after changing the model",
  );
}

async function openFolder(path: string, opening: Opening): Promise<ModelFiles> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return new CheckpointFile(path, found.size, opening.variant);
  if (!found?.isDirectory()) {
    throw unknownModel(path, opening.catalogue, "there is no such folder or file");
  }
  const index = await stat(join(path, MODEL_INDEX)).catch(() => undefined);
  const unet = await stat(join(path, "unet")).catch(() => undefined);
  if (!index && !unet) {
    const why = `the folder has neither a ${MODEL_INDEX} nor a unet folder`;
    throw unknownModel(path, opening.catalogue, why);
  }
  return await FolderFiles.open({ name: path, location: path, variant: opening.variant });
}

async function openRemoteFile(source: FileSource, opening: Opening): Promise<ModelFiles> {
  const file = fileNameOf(source.url);
  const wanted = { ...opening, selection: { file } };
  const { web, signal } = opening;
  return await openCached(source, wanted, () => openUrlFile(source.url, file, web, signal));
}

/** A file's name by its address, which may be that of a script. */
export function fileNameOf(url: string): string {
  const [, name] = /([^/]+\.\w+)$/.exec(decodeURIComponent(new URL(url).pathname)) ?? [];
  return name && isModelPath(name) ? name : "model.safetensors";
}

async function openHubModel(source: HubSource, given: Opening): Promise<ModelFiles> {
  const { file } = source;
  const opening = file === undefined ? given : { ...given, selection: { file } };
  const { hub, web, signal } = opening;
  if (COMMIT.test(source.revision)) {
    return await openCached(
      source,
      opening,
      () => openHub(source, hub, web, signal),
      source.revision,
    );
  }
  const remote = await resolveRevision(source, opening);
  return await openCached(source, opening, () => remote, remote.commit);
}

async function openCached(
  source: CachedSource,
  opening: Opening,
  remote: () => RemoteFolder | Promise<RemoteFolder>,
  commit?: string,
): Promise<ModelFiles> {
  const folder = join(opening.cacheFolder, cacheName(source, commit));
  if (!opening.verify) {
    const files = await whenComplete(await CachedModel.open(folder), opening);
    if (files) return files;
  }
  return await fetchLocked(source, folder, opening, remote);
}

async function fetchLocked(
  source: CachedSource,
  folder: string,
  opening: Opening,
  remote: () => RemoteFolder | Promise<RemoteFolder>,
): Promise<ModelFiles> {
  const doing = `download ${describeSource(source)}`;
  const onWait = (pid: string) =>
    opening.onProgress?.({
      kind: "wait",
      message: `process ${pid} is downloading ${describeSource(source)}: waiting for it`,
    });
  using _lock = await lockFolder(`${folder}.lock`, {
    ...{ doing, namedBy: "STEPWISE_CACHE", onWait, signal: opening.signal },
  });
  const before = await CachedModel.open(folder);
  if (opening.verify) await dropDamaged(before, opening);
  const already = await whenComplete(before, opening);
  if (already) return already;
  const from = await remote();
  const cached = await CachedModel.open(folder, from.name);
  const { selection, web: transport, onProgress, signal } = opening;
  const expected = opening.entry?.files ?? {};
  await fetchModel({ remote: from, cached, selection, expected, transport, onProgress, signal });
  return await whenComplete(cached, opening) ?? lost(from.name, folder);
}

function lost(model: string, folder: string): never {
  throw new AppError(
    "storage_failed",
    `Cannot use the model ${model}: its files in ${folder} are changed by another program`,
  );
}

async function whenComplete(
  cached: CachedModel,
  { selection }: Opening,
): Promise<ModelFiles | undefined> {
  const only = await cached.complete(selection);
  const { variant } = selection;
  return only &&
    await FolderFiles.open({ name: cached.model, location: cached.folder, variant, only });
}

async function dropDamaged(cached: CachedModel, { onProgress }: Opening): Promise<void> {
  const only = Object.keys(cached.files);
  const files = await FolderFiles.open({ name: cached.model, location: cached.folder, only });
  const bad = await damaged(files, Object.entries(cached.files), true);
  if (bad.length === 0) return;
  const message = `the copy in ${cached.folder} is damaged and is repaired: ${
    bad.map(({ path, why }) => `${path} ${why}`).join("; ")
  }`;
  onProgress?.({ kind: "note", message });
  await cached.drop(bad.map(({ path }) => path));
}
