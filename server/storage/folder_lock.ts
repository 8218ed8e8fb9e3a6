import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { throwIfAborted } from "../../core/error.ts";
import { type LockableFile, openLockable } from "../runtime/mod.ts";
import { type NamedBy, storageFailed } from "./storage_error.ts";

export interface LockOptions {
  /** For messages: "download hf:a/b". */
  readonly doing: string;
  /** For messages: what names the folder. */
  readonly namedBy: NamedBy;
  /** Called once, with the process that holds the lock, when there is one to wait for. */
  readonly onWait?: (pid: string) => void;
  readonly signal?: AbortSignal;
}

const POLL_MS = 100;

/**
 * Holds a lock file for as long as it is not disposed. The operating system ties the lock to the
 * open file, so that it is free again the moment its process ends, killed or not: there is no
 * stale lock to take over. The file stays and names its last holder's process.
 * @throws AppError `cancelled` while waiting, `storage_failed`.
 */
export async function lockFolder(path: string, options: LockOptions): Promise<Disposable> {
  const file = await openLock(path, options.namedBy);
  try {
    await acquire(file, path, options);
    await nameHolder(file, path, options.namedBy);
    return file;
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

async function acquire(file: LockableFile, path: string, options: LockOptions): Promise<void> {
  if (await file.tryLock()) return;
  options.onWait?.((await readFile(path, "utf8")).trim());
  while (!await file.tryLock()) {
    throwIfAborted(options.signal, options.doing);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Also on a full disk, which lets a file be made and not written. */
async function nameHolder(file: LockableFile, path: string, namedBy: NamedBy): Promise<void> {
  try {
    await file.overwrite(`${process.pid}\n`);
  } catch (error) {
    throw await storageFailed(path, error, namedBy);
  }
}

async function openLock(path: string, namedBy: NamedBy): Promise<LockableFile> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await openLockable(path);
  } catch (error) {
    throw await storageFailed(path, error, namedBy);
  }
}
