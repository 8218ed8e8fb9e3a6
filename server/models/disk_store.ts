import { dirname, join } from "node:path";
import { checkModelPath, type ModelStore, type PartialFile } from "../../core/model/mod.ts";
import { storageFailed } from "../storage/mod.ts";

/**
 * Keeps a model's files in a folder. A file on its way in is `<path>.part`, with the server's etag
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
      await Deno.mkdir(dirname(target), { recursive: true });
      const file = await openPart(target);
      const { size } = await file.stat();
      return new DiskPartial(target, file, size, await readValidator(target), bytes);
    });
  }
}

/** How many bytes an earlier run left of a file. */
export async function bytesKept(folder: string, path: string): Promise<number> {
  const stat = await Deno.stat(partOf(join(folder, path))).catch(() => undefined);
  return stat?.size ?? 0;
}

class DiskPartial implements PartialFile {
  readonly #target: string;
  readonly #expected?: number;
  #file: Deno.FsFile | undefined;
  #bytes: number;
  #validator?: string;

  constructor(
    target: string,
    file: Deno.FsFile,
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
    using file = await Deno.open(partOf(this.#target));
    yield* file.readable;
  }

  async restart(validator?: string): Promise<void> {
    await this.#guarded(async () => {
      const file = await this.#open();
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
      this.#bytes = 0;
      this.#validator = validator;
      await writeValidator(this.#target, validator);
    });
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      const file = await this.#open();
      await file.seek(this.#bytes, Deno.SeekMode.Start);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      this.#bytes += chunk.length;
    });
  }

  async commit(): Promise<void> {
    await this.#guarded(async () => {
      await (await this.#open()).sync();
      await this.close();
      await Deno.rename(partOf(this.#target), this.#target);
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

  close(): Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    return Promise.resolve();
  }

  async #open(): Promise<Deno.FsFile> {
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
    throw await storageFailed(target, error, bytesNeeded);
  }
}

async function openPart(target: string): Promise<Deno.FsFile> {
  return await Deno.open(partOf(target), { read: true, write: true, create: true });
}

function partOf(target: string): string {
  return `${target}.part`;
}

async function readValidator(target: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(`${partOf(target)}.etag`);
  } catch {
    return undefined;
  }
}

async function writeValidator(target: string, validator?: string): Promise<void> {
  const path = `${partOf(target)}.etag`;
  if (validator === undefined) await remove(path);
  else await Deno.writeTextFile(path, validator);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
