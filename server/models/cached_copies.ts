import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import { type ModelSource, parseModelSource } from "../../core/model/mod.ts";
import { lockFolder, storageFailed } from "../storage/mod.ts";
import { type Damage, damaged } from "./damage.ts";
import { FolderFiles } from "./folder_files.ts";
import { knownModels } from "./known_models.ts";
import {
  CachedModel,
  cacheName,
  forgetCommit,
  modelCacheFolder,
  rememberedCommit,
} from "./model_cache.ts";

/** What the cache has of one model. */
export interface CachedCopy {
  /** `hf:owner/name@<commit>` or an address; the folder's name where its download was broken off. */
  readonly model: string;
  readonly folder: string;
  /** Bytes on disk, of files that are not whole too. */
  readonly bytes: number;
  /** How many came whole. */
  readonly files: number;
}

type CachedSource = Extract<ModelSource, { kind: "hub" | "url" | "file" }>;

/** Where models are cached, by the environment. */
export function ownCacheFolder(): string {
  return modelCacheFolder(process.env);
}

/** Names that {@link cacheName} gives; nothing else in the folder is ours. */
const COPY = /^(?:hf|url)--(?!.*\.lock$)/;

/** Every model in the cache, by name. */
export async function cachedCopies(cache: string = ownCacheFolder()): Promise<CachedCopy[]> {
  const entries = await readdir(cache, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((each) => each.isDirectory() && COPY.test(each.name));
  const copies = await Promise.all(names.map(({ name }) => copyIn(join(cache, name))));
  return copies.toSorted((a, b) => a.model < b.model ? -1 : 1);
}

async function copyIn(folder: string): Promise<CachedCopy> {
  const { model, files } = await CachedModel.open(folder, basename(folder));
  return { model, folder, bytes: await bytesIn(folder), files: Object.keys(files).length };
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await bytesIn(path) : (await stat(path)).size;
  }
  return bytes;
}

/**
 * Removes a model's folder from the cache, and nothing else.
 * @param given as for `openModel`, or as {@link cachedCopies} names it.
 * @returns what it was.
 * @throws AppError `model_not_found` when the cache does not have it, `storage_failed`.
 */
export async function removeCached(
  given: string,
  cache: string = ownCacheFolder(),
): Promise<CachedCopy> {
  const { copy, source } = await findCached(given, cache, "remove");
  using _lock = await lockCopy(copy, "remove");
  try {
    await rm(copy.folder, { recursive: true });
  } catch (error) {
    throw await storageFailed(copy.folder, error, "STEPWISE_CACHE");
  }
  if (source.kind === "hub") await forgetCommit(cache, source);
  return copy;
}

/**
 * Hashes every file that the cache has of a model. What is not as it came is marked to be fetched again.
 * @throws AppError `model_not_found` when the cache does not have it, `storage_failed`.
 */
export async function verifyCached(
  given: string,
  cache: string = ownCacheFolder(),
): Promise<{ readonly copy: CachedCopy; readonly bad: readonly Damage[] }> {
  const { copy } = await findCached(given, cache, "verify");
  using _lock = await lockCopy(copy, "verify");
  const cached = await CachedModel.open(copy.folder, copy.model);
  const only = Object.keys(cached.files);
  const files = await FolderFiles.open({ name: copy.model, location: copy.folder, only });
  const bad = await damaged(files, Object.entries(cached.files), true);
  if (bad.length > 0) await cached.drop(bad.map(({ path }) => path));
  return { copy, bad };
}

function lockCopy({ folder, model }: CachedCopy, verb: string): Promise<Disposable> {
  return lockFolder(`${folder}.lock`, { doing: `${verb} ${model}`, namedBy: "STEPWISE_CACHE" });
}

async function findCached(
  given: string,
  cache: string,
  verb: string,
): Promise<{ readonly copy: CachedCopy; readonly source: CachedSource }> {
  const source = parseModelSource(given, knownModels());
  if (source.kind === "embedded" || source.kind === "folder") {
    const where = source.kind === "embedded" ? "in this repository" : "a folder or file of yours";
    throw notCached(given, verb, `it is ${where}, not in the cache`);
  }
  const name = await nameInCache(source, cache);
  const copies = await cachedCopies(cache);
  const copy = copies.find(({ folder }) => basename(folder) === name) ??
    copies.find(({ model }) => model === given.trim());
  if (copy) return { copy, source };
  throw notCached(given, verb, `it is not in the cache, ${cache}. \`models list\` says what is`);
}

async function nameInCache(source: CachedSource, cache: string): Promise<string> {
  if (source.kind !== "hub") return cacheName(source);
  const commit = /^[0-9a-f]{40}$/.test(source.revision)
    ? source.revision
    : await rememberedCommit(cache, source);
  return cacheName(source, commit);
}

function notCached(given: string, verb: string, why: string): AppError {
  return new AppError("model_not_found", `Cannot ${verb} ${given}: ${why}`);
}
