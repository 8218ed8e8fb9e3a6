import { stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import {
  type Catalogue,
  type CatalogueEntry,
  describeSource,
  type FileSelection,
  MODEL_INDEX,
  type ModelFiles,
  type ModelProgress,
  type ModelSource,
  openHub,
  openUrl,
  parseModelSource,
  readLayout,
  type RemoteFolder,
  type Transport,
  unknownModel,
} from "../../core/model/mod.ts";
import { damaged } from "./damage.ts";
import { fetchModel } from "./fetch_model.ts";
import { hubToken } from "./hub_token.ts";
import { FolderFiles } from "./folder_files.ts";
import { knownEntry, knownModels } from "./known_models.ts";
import { lockFolder } from "../storage/mod.ts";
import { CachedModel, cacheName, modelCacheFolder } from "./model_cache.ts";
import { resolveRevision } from "./resolve_revision.ts";

/** How to open a model; all of it has defaults. */
export interface OpenModelOptions extends FileSelection {
  /** Default: `models/catalogue.json`. */
  readonly catalogue?: Catalogue;
  /** Default: `STEPWISE_CACHE`, or `stepwise/models` in the user's cache folder. */
  readonly cacheFolder?: string;
  /** Default: `HF_ENDPOINT`, or https://huggingface.co. */
  readonly hubEndpoint?: string;
  /** For private and gated models; sent to the hub only. Default: the environment's, or that of `hf auth login`. */
  readonly hubToken?: string;
  /** Hashes every file whose SHA-256 is known, also of a copy that was verified when it came. */
  readonly verify?: boolean;
  /** Other waits and repeats than the defaults. */
  readonly transport?: Partial<Transport>;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

type CachedSource = Extract<ModelSource, { kind: "hub" | "url" }>;
type HubSource = Extract<ModelSource, { kind: "hub" }>;

/** The options with every default filled in. */
interface Opening extends OpenModelOptions {
  readonly given: string;
  readonly selection: FileSelection;
  readonly entry: CatalogueEntry | undefined;
  readonly catalogue: Catalogue;
  readonly cacheFolder: string;
  readonly hub: { readonly endpoint: string };
  readonly web: Transport;
}

const MODELS_FOLDER = join(import.meta.dirname ?? ".", "../../models");
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Opens a model's files: an embedded model or a folder as it is, anything else through the
 * cache, fetched on first use. What it returns has every file that the selection needs.
 * @param given As for `parseModelSource`: `embedded`, a folder, `hf:owner/name[@revision]`, an address.
 * @throws AppError `model_not_found`, `model_invalid` (names the file), `download_failed`,
 *   `storage_failed`, `cancelled`.
 */
export async function openModel(
  given: string,
  options: OpenModelOptions = {},
): Promise<ModelFiles> {
  const opening = await withDefaults(given, options);
  const files = await openSource(parseModelSource(given, opening.catalogue), opening);
  await readLayout(files, opening.selection);
  return files;
}

async function withDefaults(given: string, options: OpenModelOptions): Promise<Opening> {
  const { env } = process;
  const catalogue = options.catalogue ?? knownModels();
  const endpoint = options.hubEndpoint ?? (env.HF_ENDPOINT || "https://huggingface.co");
  const token = options.hubToken ?? await hubToken(env);
  const credentials = token ? { origin: new URL(endpoint).origin, token } : undefined;
  return {
    ...options,
    given,
    catalogue,
    selection: { variant: options.variant, include: options.include },
    entry: knownEntry(given, catalogue),
    cacheFolder: options.cacheFolder ?? modelCacheFolder(env),
    hub: { endpoint },
    web: { fetch, credentials, ...options.transport },
  };
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
  if (!found?.isDirectory()) {
    const why = found ? "that is a file, not a folder" : "there is no such folder";
    throw unknownModel(path, opening.catalogue, why);
  }
  const index = await stat(join(path, MODEL_INDEX)).catch(() => undefined);
  const unet = await stat(join(path, "unet")).catch(() => undefined);
  if (!index && !unet) {
    const why = `the folder has neither a ${MODEL_INDEX} nor a unet folder`;
    throw unknownModel(path, opening.catalogue, why);
  }
  return await FolderFiles.open({ name: path, location: path, variant: opening.variant });
}

async function openHubModel(source: HubSource, opening: Opening): Promise<ModelFiles> {
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
