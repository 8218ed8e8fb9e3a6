import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError, reason } from "../../../core/error.ts";
import type { ImageFormat } from "../../../core/image/mod.ts";
import { inputsOf } from "../../../core/request/mod.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER, writeAtomically } from "../../storage/mod.ts";
import type { Job } from "../store/mod.ts";

/** Begins the names of files that were given. */
const INPUT = "input-";

/** The files of jobs, each job's in a folder of its own: what was given, and what was made. */
export class JobFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Before the job is accepted, so that it can be made after a restart. */
  async writeInputs(
    job: string,
    inputs: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    if (inputs.size === 0) return;
    await this.#makeFolder(job);
    for (const [sha256, bytes] of inputs) {
      await writeAtomically(this.#input(job, sha256), bytes, PRIVATE_FILE);
    }
  }

  async readInput(job: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    return await read(this.#input(job, sha256));
  }

  async writeImage({ id, format }: Job, n: number, bytes: Uint8Array): Promise<void> {
    await this.#makeFolder(id);
    await writeAtomically(this.#image(id, n, format), bytes, PRIVATE_FILE);
  }

  async readImage({ id, format }: Job, n: number): Promise<Uint8Array<ArrayBuffer>> {
    return await read(this.#image(id, n, format));
  }

  async remove(job: string): Promise<void> {
    await rm(join(this.#folder, job), { recursive: true, force: true });
  }

  /** What was given for a job, not what was made. */
  async removeInputs(job: string): Promise<void> {
    const names = await readdir(join(this.#folder, job)).catch(() => []);
    const inputs = names.filter((name) => name.startsWith(INPUT));
    await Promise.all(inputs.map((name) => rm(join(this.#folder, job, name), { force: true })));
  }

  /** Removes folders of jobs that are not known: their process ended before they were accepted. */
  async removeUnknown(known: (job: string) => boolean): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    await Promise.all(names.filter((name) => !known(name)).map((name) => this.remove(name)));
  }

  async #makeFolder(job: string): Promise<void> {
    await mkdir(join(this.#folder, job), { recursive: true, mode: PRIVATE_FOLDER });
  }

  #input(job: string, sha256: string): string {
    return join(this.#folder, job, INPUT + sha256);
  }

  #image(job: string, n: number, format: ImageFormat): string {
    return join(this.#folder, job, `${n}.${format}`);
  }
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

/** Hashes of the files that a request names. */
export function filesOf(request: Parameters<typeof inputsOf>[0]): string[] {
  return inputsOf(request).map(({ sha256 }) => sha256);
}
