import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkModelPath, type ModelStore, type PartialFile } from "../../core/model/mod.ts";
import { fileStream, storageFailed } from "../storage/mod.ts";

/**
 * Keeps a model's files in a folder. An incomplete file is `<path>.part`, with the server's etag
 * for it in `<path>.part.etag`; it gets its own name by a rename once it is whole and synced.
 * One writer at a time: hold the folder's lock.
 */
export class DiskStore implements ModelStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(path: string, bytes?: number): Promise<PartialFile> {
    const target = join(this.#folder, checkModelPath(path, this.#folder));
    return await guarded(target, undefined, async () => {
      await mkdir(dirname(target), { recursive: true });
      const file = await openPart(target);
      const { size } = await file.stat();
      return new DiskPartial(target, file, size, await readValidator(target), bytes);
    });
  }
}

/** How many bytes an earlier run left of a file. */
export async function bytesKept(folder: string, path: string): Promise<number> {
  const found = await stat(partOf(join(folder, path))).catch(() => undefined);
  return found?.size ?? 0;
}

class DiskPartial implements PartialFile {
  readonly #target: string;
  readonly #expected?: number;
  #file: FileHandle | undefined;
  #bytes: number;
  #validator?: string;

  constructor(
    target: string,
    file: FileHandle,
    bytes: number,
    validator?: string,
    expected?: number,
  ) {
    this.#target = target;
    this.#file = file;
    this.#bytes = bytes;
    this.#validator = validator;
    this.#expected = expected;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get validator(): string | undefined {
    return this.#validator;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    yield* await fileStream(partOf(this.#target));
  }

  async restart(validator?: string): Promise<void> {
    await this.#guarded(async () => {
      const file = await this.#open();
      await file.truncate(0);
      this.#bytes = 0;
      this.#validator = validator;
      await writeValidator(this.#target, validator);
    });
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      const file = await this.#open();
      for (let at = 0; at < chunk.length;) {
        at += (await file.write(chunk, at, chunk.length - at, this.#bytes + at)).bytesWritten;
      }
      this.#bytes += chunk.length;
    });
  }

  async commit(): Promise<void> {
    await this.#guarded(async () => {
      await (await this.#open()).sync();
      await this.close();
      await rename(partOf(this.#target), this.#target);
      await writeValidator(this.#target, undefined);
    });
  }

  async discard(): Promise<void> {
    await this.close();
    await remove(partOf(this.#target));
    await writeValidator(this.#target, undefined);
    this.#bytes = 0;
    this.#validator = undefined;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    return this.#file ??= await openPart(this.#target);
  }

  #guarded<T>(work: () => Promise<T>): Promise<T> {
    const missing = this.#expected === undefined ? undefined : this.#expected - this.#bytes;
    return guarded(this.#target, missing, work);
  }
}

async function guarded<T>(
  target: string,
  bytesNeeded: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw await storageFailed(target, error, "STEPWISE_CACHE", bytesNeeded);
  }
}

async function openPart(target: string): Promise<FileHandle> {
  // Made where it is not there, and not cut where it is.
  return await open(partOf(target), constants.O_RDWR | constants.O_CREAT);
}

function partOf(target: string): string {
  return `${target}.part`;
}

async function readValidator(target: string): Promise<string | undefined> {
  try {
    return await readFile(`${partOf(target)}.etag`, "utf8");
  } catch {
    return undefined;
  }
}

async function writeValidator(target: string, validator?: string): Promise<void> {
  const path = `${partOf(target)}.etag`;
  if (validator === undefined) await remove(path);
  else await writeFile(path, validator);
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
}
