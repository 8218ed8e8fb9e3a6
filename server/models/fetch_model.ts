import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import {
  candidateFiles,
  chooseFiles,
  decodeModelIndex,
  type DownloadedFile,
  downloadFiles,
  type ExpectedFile,
  type FileSelection,
  graphWeights,
  INFERABLE_PARTS,
  inferModelIndex,
  LAYOUT_REMEDY,
  MODEL_INDEX,
  type ModelIndex,
  type ModelProgress,
  readJson,
  readLayout,
  type RemoteFile,
  type RemoteFolder,
  requireUnet,
  selectedParts,
  type Transport,
} from "../../core/model/mod.ts";
import { shardPaths } from "../../core/safetensors/mod.ts";
import { bytesKept, DiskStore } from "./disk_store.ts";
import { FolderFiles } from "./folder_files.ts";
import type { CachedModel } from "./model_cache.ts";
import { diskFull, freeBytes, sha256, sha256OfFile } from "../storage/mod.ts";

/** One model that is fetched into the cache. */
export interface Fetching {
  readonly remote: RemoteFolder;
  readonly cached: CachedModel;
  readonly selection: FileSelection;
  /** The catalogue's facts of the files, which override the server's. */
  readonly expected: Readonly<Record<string, ExpectedFile>>;
  readonly transport: Transport;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

const PARALLEL_LOOKUPS = 8;

/**
 * Brings everything that a selection needs into the cache and records it there. Hold the folder's
 * lock. @throws AppError.
 */
export async function fetchModel(fetching: Fetching): Promise<void> {
  const { cached, selection } = fetching;
  if (selection.file !== undefined) return await fetchCheckpoint(fetching, selection.file);
  const index = await fetchIndex(fetching);
  requireUnet(index, fetching.remote.name);
  const candidates = selectedParts(index, selection).flatMap((part) =>
    candidateFiles(part, selection)
  );
  const found = await lookUp(fetching, [MODEL_INDEX, ...candidates]);
  const has = (path: string) => found.has(path);
  const chosen = chooseFiles(index, has, selection, fetching.remote.name);
  await fetchFiles(fetching, chosen.flatMap((path) => found.get(path) ?? []));
  await fetchExternal(fetching, chosen);
  const { paths } = await readLayout(await filesOf(fetching), selection);
  await cached.finish(selection, paths);
}

async function fetchCheckpoint(fetching: Fetching, path: string): Promise<void> {
  const { remote, cached, selection } = fetching;
  const file = await find(fetching, path);
  if (!file) {
    const why = `${remote.name} has no such file, or answers with a page: it may ask to log in`;
    throw new AppError("model_not_found", `Cannot find the model ${path}: ${why}`);
  }
  await fetchFiles(fetching, [file]);
  await cached.finish(selection, [path]);
}

async function fetchIndex(fetching: Fetching): Promise<ModelIndex> {
  const { remote } = fetching;
  const file = await find(fetching, MODEL_INDEX);
  if (!file) return await indexOfParts(fetching);
  await fetchFiles(fetching, [file]);
  return decodeModelIndex(await readJson(await filesOf(fetching), MODEL_INDEX), remote.name);
}

/** A server answers for one file at a time: a part is there when any of its files is. */
async function indexOfParts(fetching: Fetching): Promise<ModelIndex> {
  const { remote, selection } = fetching;
  const candidates = INFERABLE_PARTS.flatMap((part) => candidateFiles(part, selection));
  const found = [...(await lookUp(fetching, candidates)).keys()];
  const index = inferModelIndex((part) => found.some((path) => path.startsWith(`${part}/`)));
  if (index) return index;
  const why = `it has neither a ${MODEL_INDEX} nor a unet. ${LAYOUT_REMEDY}`;
  throw new AppError("model_not_found", `Cannot find a model at ${remote.name}: ${why}`);
}

/** Weights outside the graphs, or in several files, under whatever names those are given. */
async function fetchExternal(fetching: Fetching, chosen: readonly string[]): Promise<void> {
  const files = await filesOf(fetching);
  const named = new Set<string>();
  for (const graph of chosen.filter((path) => path.endsWith(".onnx"))) {
    const { external } = await graphWeights(files, graph);
    for (const { path } of external) named.add(path);
  }
  for (const index of chosen.filter((path) => /\.safetensors\.index\b.*\.json$/.test(path))) {
    for (const path of await shardPaths(files, index)) named.add(path);
  }
  const found = await lookUp(fetching, [...named].filter((path) => !chosen.includes(path)));
  await fetchFiles(fetching, [...found.values()]);
}

async function filesOf({ cached, remote }: Fetching): Promise<FolderFiles> {
  const only = Object.keys(cached.files);
  return await FolderFiles.open({ name: remote.name, location: cached.folder, only });
}

/** Which of the paths the server has. */
async function lookUp(
  fetching: Fetching,
  paths: readonly string[],
): Promise<Map<string, RemoteFile>> {
  const found = new Map<string, RemoteFile>();
  const queue = paths.values();
  const work = async () => {
    for (const path of queue) {
      const file = await find(fetching, path);
      if (file) found.set(path, file);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LOOKUPS }, work));
  return found;
}

async function find(fetching: Fetching, path: string): Promise<RemoteFile | undefined> {
  const file = await fetching.remote.find(path);
  return file && { ...file, ...fetching.expected[path] };
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
