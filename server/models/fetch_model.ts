import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import {
  decodeModelIndex,
  type DownloadedFile,
  downloadFiles,
  graphWeights,
  indexOfParts,
  layoutWithEncoder,
  type Looking,
  lookUp,
  lookUpFile,
  lookUpParts,
  MODEL_INDEX,
  type ModelIndex,
  type ModelProgress,
  namedShards,
  readJson,
  readLayout,
  type RemoteFile,
  requirePipeline,
  type Transport,
} from "../../core/model/mod.ts";
import { bytesKept, DiskStore } from "./disk_store.ts";
import { FolderFiles } from "./folder_files.ts";
import type { CachedModel } from "./model_cache.ts";
import { diskFull, freeBytes, sha256, sha256OfFile } from "../storage/mod.ts";

/** One model that is fetched into the cache. */
export interface Fetching extends Looking {
  readonly cached: CachedModel;
  readonly transport: Transport;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Brings everything that a selection needs into the cache and records it there. Hold the folder's
 * lock. @throws AppError.
 */
export async function fetchModel(fetching: Fetching): Promise<void> {
  const { cached, selection } = fetching;
  if (selection.file !== undefined) return await fetchCheckpoint(fetching, selection.file);
  const index = await fetchIndex(fetching);
  requirePipeline(index, fetching.remote.name);
  const chosen = await lookUpParts(fetching, index);
  await fetchFiles(fetching, chosen);
  await fetchExternal(fetching);
  const files = await filesOf(fetching);
  const layout = await layoutWithEncoder(files, selection) ?? await readLayout(files, selection);
  await cached.finish(selection, layout.paths);
}

async function fetchCheckpoint(fetching: Fetching, path: string): Promise<void> {
  const { remote, cached, selection } = fetching;
  const file = await lookUpFile(fetching, path);
  if (!file) {
    const why = `${remote.name} has no such file, or answers with a page: it may ask to log in`;
    throw new AppError("model_not_found", `Cannot find the model ${path}: ${why}`);
  }
  await fetchFiles(fetching, [file]);
  await cached.finish(selection, [path]);
}

async function fetchIndex(fetching: Fetching): Promise<ModelIndex> {
  const { remote } = fetching;
  const file = await lookUpFile(fetching, MODEL_INDEX);
  if (!file) return await indexOfParts(fetching);
  await fetchFiles(fetching, [file]);
  return decodeModelIndex(await readJson(await filesOf(fetching), MODEL_INDEX), remote.name);
}

/** Weights outside the graphs, or in several files, under whatever names those are given. */
async function fetchExternal(fetching: Fetching): Promise<void> {
  const files = await filesOf(fetching);
  const named = new Set(await namedShards(files));
  for (const graph of files.paths.filter((path) => path.endsWith(".onnx"))) {
    const { external } = await graphWeights(files, graph);
    for (const { path } of external) named.add(path);
  }
  const found = await lookUp(fetching, [...named].filter((path) => !files.has(path)));
  await fetchFiles(fetching, [...found.values()]);
}

async function filesOf({ cached, remote }: Fetching): Promise<FolderFiles> {
  const only = Object.keys(cached.files);
  return await FolderFiles.open({ name: remote.name, location: cached.folder, only });
}

async function fetchFiles(fetching: Fetching, files: readonly RemoteFile[]): Promise<void> {
  const { cached, remote } = fetching;
  const missing: RemoteFile[] = [];
  for (const file of files) {
    if (!await cached.holds(file.path) && !await adopt(fetching, file)) missing.push(file);
  }
  if (missing.length === 0) return;
  await checkRoom(cached.folder, missing);
  const options = { ...fetching, model: remote.name, store: new DiskStore(cached.folder), sha256 };
  await cached.add(await downloadFiles(missing, options));
}

/** A run that was killed may have left whole files that it did not record. */
async function adopt({ cached }: Fetching, file: RemoteFile): Promise<boolean> {
  const size = await cached.sizeOnDisk(file.path);
  if (size === undefined || size !== file.size || file.sha256 === undefined) return false;
  const whole: DownloadedFile = {
    path: file.path,
    size,
    sha256: await sha256OfFile(join(cached.folder, file.path)),
  };
  if (whole.sha256 !== file.sha256) return false;
  await cached.add([whole]);
  return true;
}

/** Refuses before the first byte what the disk has no room for. */
async function checkRoom(folder: string, files: readonly RemoteFile[]): Promise<void> {
  const sizes = await Promise.all(
    files.map(async ({ path, size = 0 }) => Math.max(0, size - await bytesKept(folder, path))),
  );
  const needed = sizes.reduce((total, size) => total + size, 0);
  if (needed > await freeBytes(folder)) throw await diskFull(folder, "STEPWISE_CACHE", needed);
}
