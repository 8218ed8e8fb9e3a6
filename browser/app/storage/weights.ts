import { AppError } from "../../../core/error.ts";
import { openDatabase } from "./database.ts";

/** Bytes in memory before they are written. */
const PIECE = 4 * 2 ** 20;

/** Takes a file as it comes. Disposing it keeps what is there. */
export interface Keeping extends AsyncDisposable {
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Weights on this machine by their SHA-256: in the private file system, or else in IndexedDB. */
export class WeightStore {
  readonly #folder: FileSystemDirectoryHandle | undefined;

  private constructor(folder: FileSystemDirectoryHandle | undefined) {
    this.#folder = folder;
  }

  static async open(): Promise<WeightStore> {
    try {
      const root = await navigator.storage.getDirectory();
      return new WeightStore(await root.getDirectoryHandle("weights", { create: true }));
    } catch {
      // Private windows have no file system.
      return new WeightStore(undefined);
    }
  }

  /** What is there, whole or not. */
  async read(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!this.#folder) {
      const database = await openDatabase();
      const blob = await database.get("weights", sha256);
      return blob && new Uint8Array(await blob.arrayBuffer());
    }
    try {
      const handle = await this.#folder.getFileHandle(sha256);
      return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    } catch {
      return undefined;
    }
  }

  /** @param from bytes that are there and stay. */
  async write(sha256: string, from: number): Promise<Keeping> {
    return this.#folder
      ? await keepInFile(this.#folder, sha256, from)
      : await keepInDatabase(sha256, from);
  }

  async remove(sha256: string): Promise<void> {
    await this.#folder?.removeEntry(sha256).catch(() => {});
    if (!this.#folder) await (await openDatabase()).delete("weights", sha256);
  }

  /** Of all that is kept. */
  async bytes(): Promise<number> {
    let total = 0;
    for await (const handle of this.#folder?.values() ?? []) {
      if (handle.kind === "file") total += (await (handle as FileSystemFileHandle).getFile()).size;
    }
    const blobs = await (await openDatabase()).getAll("weights");
    return blobs.reduce((sum, { size }) => sum + size, total);
  }

  /** @throws AppError `storage_failed` when a file is in use; all others are deleted by then. */
  async clear(): Promise<void> {
    const names: string[] = [];
    for await (const name of this.#folder?.keys() ?? []) names.push(name);
    await (await openDatabase()).clear("weights");
    const removed = await Promise.allSettled(
      names.map((name) => this.#folder?.removeEntry(name)),
    );
    if (removed.every(({ status }) => status === "fulfilled")) return;
    throw new AppError(
      "storage_failed",
      "Cannot clear all weights: one is in use; close the other tabs of this page and try again",
    );
  }
}

/** A file as workers have it; the types of pages leave this out. */
interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{
    write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
    truncate(size: number): void;
    flush(): void;
    close(): void;
  }>;
}

/** Storage that is full, or a file that is in use elsewhere, loses the copy, not the download. */
async function keepInFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  from: number,
): Promise<Keeping> {
  const file = await folder.getFileHandle(name, { create: true })
    .then((handle) => (handle as WorkerFileHandle).createSyncAccessHandle()).catch(() => undefined);
  let at = from;
  let full = false;
  file?.truncate(from);
  return {
    append: (bytes) => {
      try {
        if (full || !file) return Promise.resolve();
        const written = file.write(bytes, { at });
        at += written;
        // Only a part was written: the next bytes would leave a hole.
        full = written < bytes.length;
      } catch {
        full = true;
      }
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => {
      try {
        file?.flush();
      } catch {
        // What did not reach the disk is fetched again: files are verified when they are read.
      } finally {
        file?.close();
      }
      return Promise.resolve();
    },
  };
}

async function keepInDatabase(sha256: string, from: number): Promise<Keeping> {
  const database = await openDatabase();
  const before = from > 0 ? await database.get("weights", sha256) : undefined;
  const parts: BlobPart[] = before ? [before] : [];
  let unsaved = 0;
  const save = async () => {
    unsaved = 0;
    await database.put("weights", new Blob(parts), sha256).catch(() => {});
  };
  return {
    append: async (bytes) => {
      parts.push(bytes);
      unsaved += bytes.length;
      if (unsaved >= PIECE) await save();
    },
    [Symbol.asyncDispose]: save,
  };
}
