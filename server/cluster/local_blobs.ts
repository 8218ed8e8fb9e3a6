import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, writeAtomically } from "../storage/mod.ts";
import type { Blobs } from "./cluster.ts";
import { checkKey } from "./names.ts";

/** Writes between two looks for files that are too old. */
const SWEEP_EVERY = 100;

/** Files of a folder, which is theirs alone. */
export class LocalBlobs implements Blobs {
  readonly #folder: string;
  readonly #ms: number;
  readonly #clock: () => number;
  #writes = 0;

  private constructor(folder: string, seconds: number, clock: () => number) {
    this.#folder = folder;
    this.#ms = 1000 * seconds;
    this.#clock = clock;
  }

  /** @param clock milliseconds since 1970. */
  static async open(folder: string, seconds: number, clock = Date.now): Promise<LocalBlobs> {
    await mkdir(folder, { recursive: true });
    return new LocalBlobs(folder, seconds, clock);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (this.#writes++ % SWEEP_EVERY === 0) await this.#sweep();
    await writeAtomically(this.#path(key), bytes);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      if (await this.#isOld(this.#path(key))) return undefined;
      return Uint8Array.from(await readFile(this.#path(key)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  #path(key: string): string {
    return join(this.#folder, checkKey(key));
  }

  async #isOld(path: string): Promise<boolean> {
    return (await stat(path)).mtimeMs + this.#ms <= this.#clock();
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (await this.#isOld(path).catch(() => false)) await rm(path, { force: true });
    }
  }
}
