import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { type ByteRange, ListedFiles, missingFile, type ModelFiles } from "../../core/model/mod.ts";
import { isMissing, readFileRange, withoutLinks } from "../storage/mod.ts";

// part/file, and one more for exports that keep a variant in a folder of its own.
const MAX_DEPTH = 3;

/** A model in a folder on this machine. */
export class FolderFiles extends ListedFiles {
  /** Lists the folder; with `only`, sees no other files than these. */
  static async open(
    of: Pick<ModelFiles, "name" | "location" | "variant"> & { only?: readonly string[] },
  ): Promise<FolderFiles> {
    return new FolderFiles(of, await fileSizes(of.location, of.only));
  }

  localPath(path: string): string {
    this.size(path);
    return withoutLinks(join(this.location, path));
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const local = this.localPath(path);
    try {
      return await readFileRange(local, range ?? { start: 0, end: this.size(path) });
    } catch (cause) {
      if (isMissing(cause)) throw missingFile(this, path);
      throw new AppError("storage_failed", `Cannot read ${local}: ${reason(cause)}`, { cause });
    }
  }
}

async function fileSizes(
  folder: string,
  only?: readonly string[],
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const path of only ?? await listFiles(folder)) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.isFile()) sizes.set(path, found.size);
  }
  return sizes;
}

async function listFiles(folder: string, under = "", depth = 1): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
    const path = under + entry.name;
    if (!entry.isDirectory()) paths.push(path);
    else if (depth < MAX_DEPTH) paths.push(...await listFiles(folder, `${path}/`, depth + 1));
  }
  return paths;
}
