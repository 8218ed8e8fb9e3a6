import { AppError } from "../../core/error.ts";
import {
  candidateFiles,
  type ExpectedFile,
  type FileSelection,
  INFERABLE_PARTS,
  inferModelIndex,
  LAYOUT_REMEDY,
  MODEL_INDEX,
  type ModelIndex,
  type RemoteFile,
  type RemoteFolder,
} from "../../core/model/mod.ts";

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
      const file = await find(looking, path);
      if (file) found.set(path, file);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LOOKUPS }, work));
  return found;
}

export async function find(
  { remote, expected }: Looking,
  path: string,
): Promise<RemoteFile | undefined> {
  const file = await remote.find(path);
  return file && { ...file, ...expected[path] };
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
