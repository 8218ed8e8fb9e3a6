import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { AppError } from "../../core/error.ts";
import { TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { lockFolder, PRIVATE_FOLDER, storageFailed } from "../storage/mod.ts";
import {
  checkTranscriptId,
  type Eviction,
  type StoredTranscript,
  type StoreUsage,
  type TranscriptStore,
  type TranscriptWriter,
} from "./transcript_store.ts";
import { openTranscript } from "./transcript_store_file.ts";
import { PartialTranscript } from "./transcript_store_partial.ts";

export interface DiskTranscriptOptions {
  /** Of all transcripts together, those being written included. */
  readonly maxBytes: number;
  /** Milliseconds; default: for which a miner promises to keep them. */
  readonly maxAgeMs?: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onEvict?: (eviction: Eviction) => void;
}

interface Kept {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970, when it was committed. */
  readonly since: number;
}

const NAME = /^([0-9]{1,16})-([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.transcript$/;
/** Between two sweeps: a file that cannot be removed is not tried all the time. */
const MIN_WAIT_MS = 1000;
/** The longest delay that a timer takes. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/**
 * Transcripts in a folder of their own, one file each: `<time>-<id>.transcript`. An
 * incomplete file is `<id>.part`; it gets its name when it is whole and synced, so that a crash
 * leaves nothing half-written that could be served. What is too old is removed within a second, in
 * use or not, and the oldest when space is needed.
 */
export class DiskTranscriptStore implements TranscriptStore {
  readonly #folder: string;
  readonly #lock: Disposable;
  readonly #options: DiskTranscriptOptions;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Bytes of each transcript being written: those announced, or those there are. */
  readonly #coming = new Map<string, number>();
  /** Sweeps when the oldest will be too old. */
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(folder: string, lock: Disposable, options: DiskTranscriptOptions) {
    this.#folder = folder;
    this.#lock = lock;
    this.#options = options;
  }

  /**
   * Opens the folder, for this process alone, with what an earlier run left.
   * @throws AppError `storage_failed`, also when another process uses the folder.
   */
  static async open(folder: string, options: DiskTranscriptOptions): Promise<DiskTranscriptStore> {
    const store = new DiskTranscriptStore(folder, await lockOnce(folder), options);
    try {
      await store.#guarded(() => store.#readFolder());
      await store.#makeRoom();
      await store.sweep();
      return store;
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of all that is kept. */
  get ids(): readonly string[] {
    return [...this.#kept.keys()];
  }

  get usage(): StoreUsage {
    const kept = this.#kept.values().reduce((sum, { bytes }) => sum + bytes, 0);
    return { transcripts: this.#kept.size, bytes: kept + this.#comingBytes };
  }

  get #comingBytes(): number {
    return this.#coming.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  async create(id: string, bytes = 0): Promise<TranscriptWriter> {
    if (this.#kept.has(checkTranscriptId(id)) || this.#coming.has(id)) {
      throw new AppError("transcript_invalid", `Cannot keep transcript ${id}: its name is taken`);
    }
    try {
      await this.#reserve(id, bytes);
      return await this.#guarded(() =>
        PartialTranscript.create(join(this.#folder, `${id}.part`), {
          reserve: (written) => this.#reserve(id, Math.max(bytes, written)),
          commit: (path, bytes) => this.#guarded(() => this.#commit(id, path, bytes)),
          drop: () => this.#coming.delete(id),
        })
      );
    } catch (error) {
      this.#coming.delete(id);
      throw error;
    }
  }

  async open(id: string): Promise<StoredTranscript> {
    await this.sweep().catch(() => {});
    const kept = this.#kept.get(checkTranscriptId(id));
    if (kept && !this.#isOld(kept)) return await openTranscript(kept.path);
    throw new AppError("transcript_not_found", `Cannot open transcript ${id}: it is not kept`);
  }

  async remove(id: string): Promise<void> {
    const kept = this.#kept.get(checkTranscriptId(id));
    this.#kept.delete(id);
    if (kept) await removeFile(kept.path);
  }

  /** @throws AppError `storage_failed` for a file that cannot be removed; the others are. */
  async sweep(): Promise<void> {
    const old = [...this.#kept].filter(([, kept]) => this.#isOld(kept));
    try {
      const evicted = await Promise.allSettled(old.map(([id]) => this.#evict(id, "age")));
      for (const each of evicted) if (each.status === "rejected") throw each.reason;
    } finally {
      this.#wakeLater();
    }
  }

  #isOld({ since }: Kept): boolean {
    return this.#options.clock() - since > this.#limit;
  }

  get #limit(): number {
    return this.#options.maxAgeMs ?? 1000 * TRANSCRIPT_SECONDS;
  }

  #wakeLater(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#kept.values();
    if (!oldest || this.#closed) return;
    const due = oldest.since + this.#limit + 1 - this.#options.clock();
    // A file that cannot be removed is tried again; the next caller gets the error.
    const timer = setTimeout(
      () => this.sweep().catch(() => {}),
      Math.min(Math.max(due, MIN_WAIT_MS), MAX_WAIT_MS),
    );
    timer.unref();
    this.#timer = timer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#lock[Symbol.dispose]();
    return Promise.resolve();
  }

  /** Files by age; what a crash left half-written is removed. */
  async #readFolder(): Promise<void> {
    const found: (readonly [string, Kept])[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const [, since, id] = NAME.exec(name) ?? [];
      if (name.endsWith(".part")) await removeFile(path);
      if (id) found.push([id, { path, bytes: (await stat(path)).size, since: Number(since) }]);
    }
    for (const [id, kept] of found.sort(([, a], [, b]) => a.since - b.since)) {
      this.#kept.set(id, kept);
    }
  }

  /** @param bytes of the transcript in all, so far. */
  async #reserve(id: string, bytes: number): Promise<void> {
    this.#coming.set(id, bytes);
    const { maxBytes } = this.#options;
    // Others would be removed in vain.
    if (this.#comingBytes > maxBytes) {
      throw new AppError(
        "storage_failed",
        `Cannot keep a transcript: ${this.#comingBytes} bytes are being written, ` +
          `more than the limit of ${maxBytes}`,
      );
    }
    await this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    while (this.usage.bytes > this.#options.maxBytes) {
      const [oldest] = this.#kept.keys();
      if (oldest === undefined) return;
      await this.#evict(oldest, "space");
    }
  }

  async #commit(id: string, partial: string, bytes: number): Promise<void> {
    const since = Math.floor(this.#options.clock());
    const path = join(this.#folder, `${since}-${id}.transcript`);
    await rename(partial, path);
    this.#coming.delete(id);
    this.#kept.set(id, { path, bytes, since });
    await this.sweep().catch(() => {});
  }

  async #evict(id: string, why: Eviction["why"]): Promise<void> {
    const kept = this.#kept.get(id);
    if (!kept) return;
    await this.#guarded(() => removeFile(kept.path));
    // Another may have been faster.
    if (!this.#kept.delete(id)) return;
    const ageMs = this.#options.clock() - kept.since;
    this.#options.onEvict?.({ id, bytes: kept.bytes, ageMs, why });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw await storageFailed(this.#folder, cause, "--storage");
    }
  }
}

/** The lock is free again when its process ends: waiting for it would hide a mistake. */
async function lockOnce(folder: string): Promise<Disposable> {
  let holder = "";
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (cause) {
    throw await storageFailed(folder, cause, "--storage");
  }
  try {
    return await lockFolder(join(folder, ".lock"), {
      ...{ doing: "keep transcripts", namedBy: "--storage" },
      onWait: (pid) => holder = pid,
      signal: AbortSignal.abort(),
    });
  } catch (cause) {
    if (!holder) throw cause;
    throw new AppError(
      "storage_failed",
      `Cannot keep transcripts in ${folder}: process ${holder} is using it`,
      { cause },
    );
  }
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
