/**
 * Files and databases of this machine: writing files whole or not at all, streams, hashes, locks,
 * SQLite, and errors that say what is full or missing and what to do.
 *
 * ```ts
 * import { mkdtemp, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { sha256OfFile, writeAtomically } from "./mod.ts";
 *
 * const folder = await mkdtemp(join(tmpdir(), "stepwise-"));
 * const path = join(folder, "empty.bin");
 * await writeAtomically(path, new Uint8Array());
 * console.assert((await sha256OfFile(path)).startsWith("e3b0c442"));
 * await rm(folder, { recursive: true });
 * ```
 */
export { openDatabase, PRIVATE_FILE } from "./database.ts";
export { readFileRange, withoutLinks } from "./file_range.ts";
export { fileStream } from "./file_stream.ts";
export { lockFolder } from "./folder_lock.ts";
export {
  checkFree,
  checkWritable,
  type OutputFile,
  writeAtomically,
  writeTogether,
} from "./output_file.ts";
export { readAtMost } from "./read_at_most.ts";
export { sha256, sha256Of, sha256OfFile } from "./sha256.ts";
export { Sql, type SqlRow } from "./sql.ts";
export { PRIVATE_FOLDER, takeFolder } from "./state_lock.ts";
export { diskFull, freeBytes, isMissing, storageFailed } from "./storage_error.ts";
