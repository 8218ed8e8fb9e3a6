import { rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { AppError, reason } from "../../core/error.ts";
import { isMissing } from "./storage_error.ts";

export interface OutputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** File mode of a private file; the default one without it. */
  readonly mode?: number;
}

/** As {@link writeTogether}, for one file. */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  await writeTogether([{ path, bytes, mode }]);
}

/**
 * Writes files so that all are there whole, or none is where the disk has no room for all: next
 * to their places, then renamed.
 * @throws AppError `storage_failed` naming the path; nothing is left behind.
 */
export async function writeTogether(files: readonly OutputFile[]): Promise<void> {
  const staged = files.map((file) => ({ ...file, partial: partialPath(file.path) }));
  const each = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (cause) {
      await Promise.allSettled(staged.map(({ partial }) => rm(partial)));
      throw cannotWrite(path, cause);
    }
  };
  for (const { path, partial, bytes, mode } of staged) {
    await each(path, () => writeFile(partial, bytes, { mode }));
  }
  for (const { path, partial } of staged) await each(path, () => rename(partial, path));
}

/**
 * Tries, before the work is done, whether a file could be written.
 * @throws AppError `storage_failed` naming the path.
 */
export async function checkWritable(path: string): Promise<void> {
  const partial = partialPath(path);
  try {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new Error("it is a folder");
    await writeFile(partial, new Uint8Array());
    await rm(partial);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/**
 * Refuses, before the work is done, to replace a file that nobody said may be replaced.
 * @throws AppError `invalid_request` naming the first that is there.
 */
export async function checkFree(paths: readonly string[], force: boolean): Promise<void> {
  for (const path of force ? [] : paths) {
    if (!await stat(path).catch(() => undefined)) continue;
    const message = `Cannot write ${path}: it is there already; --force replaces it`;
    throw new AppError("invalid_request", message);
  }
}

function partialPath(path: string): string {
  return join(dirname(path), `.stepwise-${process.pid}-${crypto.randomUUID()}.part`);
}

function cannotWrite(path: string, cause: unknown): AppError {
  const why = isMissing(cause) ? `the folder ${dirname(path)} is not there` : reason(cause);
  return new AppError("storage_failed", `Cannot write ${path}: ${why}`, { cause });
}
