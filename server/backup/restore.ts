import { copyFile, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError, reason } from "../../core/error.ts";
import { PRIVATE_FOLDER, sha256OfFile } from "../storage/mod.ts";
import { moveInto, refuseExisting } from "./backup.ts";
import { type BackupFile, type Manifest, readManifest } from "./manifest.ts";

/**
 * Puts a backup's files where there are none, once all of them are whole.
 * @throws AppError `invalid_request` for what is no backup, `storage_failed` for one that is damaged or a
 * place that is taken; nothing is left behind then.
 */
export async function restore(from: string, target: string): Promise<Manifest> {
  const manifest = await readManifest(from);
  // Without a slash at its end, which would put the copy into the folder.
  const to = resolve(target);
  await refuseExisting(to, "restore");
  const partial = `${to}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { recursive: true, mode: PRIVATE_FOLDER });
    for (const file of manifest.files) await put(file, from, partial);
    await mkdir(dirname(to), { recursive: true, mode: PRIVATE_FOLDER });
    await moveInto(partial, to, "restore");
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function put({ path, bytes, sha256 }: BackupFile, from: string, to: string): Promise<void> {
  const target = join(to, path);
  try {
    await mkdir(dirname(target), { recursive: true, mode: PRIVATE_FOLDER });
    await copyFile(join(from, path), target);
    if ((await stat(target)).size !== bytes || await sha256OfFile(target) !== sha256) {
      throw new Error("it is not what was backed up");
    }
    if (path.endsWith(".sqlite")) checkDatabase(target);
  } catch (cause) {
    throw new AppError(
      "storage_failed",
      `Cannot restore: ${path} of the backup is damaged (${reason(cause)}); take another backup`,
      { cause },
    );
  }
}

/** @throws Error for one that SQLite finds wrong. */
function checkDatabase(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [row] = database.prepare("PRAGMA integrity_check").all();
    const found = Object.values(row ?? {})[0];
    if (found !== "ok") throw new Error(String(found));
  } finally {
    database.close();
  }
}
