import { dirname } from "node:path";
import { throwIfAborted } from "../../core/error.ts";
import { storageFailed } from "./storage_error.ts";

export interface LockOptions {
  /** For messages: "download hf:a/b". */
  readonly doing: string;
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
  const file = await openLock(path);
  try {
    await acquire(file, path, options);
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function acquire(file: Deno.FsFile, path: string, options: LockOptions): Promise<void> {
  if (await file.tryLock(true)) return;
  options.onWait?.((await Deno.readTextFile(path)).trim());
  while (!await file.tryLock(true)) {
    throwIfAborted(options.signal, options.doing);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw await storageFailed(path, error);
  }
}
