import type { Hasher } from "./download.ts";
import type { ModelFiles } from "./model_files.ts";

// 4 MiB: large enough that reads cost nothing, small compared with a model.
const CHUNK_BYTES = 2 ** 22;

/** SHA-256 of files, in lower-case hex, by path; those that are known are not read. */
export async function hashFiles(
  files: ModelFiles,
  { paths, known = {}, sha256 }: {
    readonly paths: readonly string[];
    readonly known?: Readonly<Record<string, string>>;
    readonly sha256: () => Hasher;
  },
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of paths) hashes[path] = known[path] ?? await hashFile(files, path, sha256());
  return hashes;
}

async function hashFile(files: ModelFiles, path: string, hash: Hasher): Promise<string> {
  const size = files.size(path);
  for (let start = 0; start < size; start += CHUNK_BYTES) {
    hash.update(await files.bytes(path, { start, end: Math.min(start + CHUNK_BYTES, size) }));
  }
  return hash.digest();
}
