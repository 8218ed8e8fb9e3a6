import { counted } from "../../core/counted.ts";
import type { ExpectedFile } from "../../core/model/mod.ts";
import type { FolderFiles } from "./folder_files.ts";
import { sha256OfFile } from "../storage/mod.ts";

/** A file that is not as expected. */
export interface Damage {
  readonly path: string;
  /** As the rest of a sentence: "is missing". */
  readonly why: string;
}

/** What is wrong with a folder's files. */
export async function damaged(
  files: FolderFiles,
  expected: readonly (readonly [string, ExpectedFile])[],
  verify: boolean,
): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const [path, file] of expected) {
    const why = await damageOf(files, path, file, verify);
    if (why) found.push({ path, why });
  }
  return found;
}

async function damageOf(
  files: FolderFiles,
  path: string,
  expected: ExpectedFile,
  verify: boolean,
): Promise<string | undefined> {
  if (!files.has(path)) return "is missing";
  const size = files.size(path);
  if (size !== expected.size) return `has ${counted(size, "byte")}, expected ${expected.size}`;
  if (!verify) return undefined;
  const sha256 = await sha256OfFile(files.localPath(path));
  return sha256 === expected.sha256
    ? undefined
    : `has SHA-256 ${sha256}, expected ${expected.sha256}`;
}
