import { copyFile, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { AppError, reason } from "../../core/error.ts";
import { isMissing, PRIVATE_FILE, PRIVATE_FOLDER, sha256OfFile } from "../storage/mod.ts";
import { type BackupFile, MANIFEST, type Manifest, manifestOf } from "./manifest.ts";

export interface BackupOptions {
  /** What is copied. */
  readonly from: string;
  /** Made anew. */
  readonly to: string;
  /** Whether images' steps are copied too: gigabytes that are kept for minutes. */
  readonly transcripts: boolean;
  /** Of Stepwise. */
  readonly version: string;
}

const TRANSCRIPTS = "transcripts";
/** What belongs to a process that runs: locks, SQLite's journals, files that are half written. */
const OF_PROCESSES = /^\.lock-|-(wal|shm|journal)$|\.partial$/;

/**
 * Copies state while servers use it: databases as of one moment, other files as they are.
 * @throws AppError `storage_failed`; nothing is left behind then.
 */
export async function backUp(
  { from, to: target, transcripts, version }: BackupOptions,
): Promise<Manifest> {
  // Without a slash at its end, which would put the copy into the folder.
  const to = resolve(target);
  await refuseExisting(to, "back up");
  const paths = await statesIn(from, transcripts);
  if (paths.length === 0) {
    throw new AppError(
      "storage_failed",
      `Cannot back up: ${from} has no state; --storage names the folder that has it`,
      { field: "storage" },
    );
  }
  const partial = `${to}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    const files: BackupFile[] = [];
    for (const path of paths) files.push(...await copied(from, partial, path));
    const manifest = manifestOf(version, files);
    await writeFile(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: PRIVATE_FILE,
    });
    await moveInto(partial, to, "back up");
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Gives a folder its name. An empty one of that name gives way; one that was filled meanwhile does not.
 * @throws AppError `storage_failed`.
 */
export async function moveInto(partial: string, to: string, doing: string): Promise<void> {
  try {
    await rmdir(to).catch((error) => {
      if (!isMissing(error)) throw error;
    });
    await rename(partial, to);
  } catch (cause) {
    await refuseExisting(to, doing);
    throw new AppError(
      "storage_failed",
      `Cannot ${doing}: ${to} cannot be replaced (${
        reason(cause)
      }); name a folder that is not there`,
      { cause },
    );
  }
}

/** @throws AppError `storage_failed` for a folder that is there and not empty. */
export async function refuseExisting(folder: string, doing: string): Promise<void> {
  if ((await orNothing(readdir(folder))).length === 0) return;
  throw new AppError(
    "storage_failed",
    `Cannot ${doing}: ${folder} is not empty, and nothing is overwritten; name another folder`,
  );
}

async function statesIn(folder: string, transcripts: boolean): Promise<string[]> {
  const entries = await orNothing(readdir(folder, { recursive: true, withFileTypes: true }));
  return entries.filter((entry) => entry.isFile() && !OF_PROCESSES.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => transcripts || !dirname(path).split(sep).includes(TRANSCRIPTS))
    .toSorted();
}

/** Of what is not there. */
async function orNothing<T>(entries: Promise<T[]>): Promise<T[]> {
  return await entries.catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

/** @returns nothing for a file that is gone by now. */
async function copied(from: string, to: string, path: string): Promise<BackupFile[]> {
  const [source, target] = [join(from, path), join(to, path)];
  await mkdir(dirname(target), { recursive: true, mode: PRIVATE_FOLDER });
  const copy = path.endsWith(".sqlite") ? copyDatabase(source, target) : copyFile(source, target);
  return await orNothing(copy.then(async () => [await factsOf(path, target)]));
}

async function factsOf(path: string, target: string): Promise<BackupFile> {
  const [{ size: bytes }, sha256] = await Promise.all([stat(target), sha256OfFile(target)]);
  return { path: path.split(sep).join("/"), bytes, sha256 };
}

/** By SQLite's own online backup: as of one moment, whoever writes meanwhile. */
async function copyDatabase(source: string, target: string): Promise<void> {
  await writeFile(target, "", { mode: PRIVATE_FILE });
  const database = new DatabaseSync(source, { readOnly: true });
  try {
    await backup(database, target);
  } finally {
    database.close();
  }
}
