import { counted } from "../../../core/counted.ts";
import { AppError, reason } from "../../../core/error.ts";
import {
  type ByteRange,
  type CatalogueEntry,
  ListedFiles,
  Watchdog,
} from "../../../core/model/mod.ts";
import { WeightStore } from "../storage/mod.ts";
import { digest } from "./file_hash.ts";
import { pageRoot } from "./page_root.ts";

/** Options of later fetches. */
export interface Download {
  readonly signal?: AbortSignal;
  /** Called with the bytes so far and the total of one file. */
  readonly onBytes?: (path: string, got: number, of: number) => void;
}

const SMALL = 2 ** 20;
/** Without a byte for so long a download has stalled. */
const STALL_MS = 60_000;

/** A model of the catalogue: its files come from this page's server, once, and are verified. */
export class CachedFiles extends ListedFiles {
  readonly #entry: CatalogueEntry;
  readonly #held = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  download: Download = {};
  /** Bytes that were fetched, not read from this machine. */
  fetched = 0;

  constructor(entry: CatalogueEntry, variant: string | undefined) {
    const location = new URL(`models/${entry.id}/`, pageRoot()).href;
    const sizes = Object.entries(entry.files).map(([path, { size }]) => [path, size] as const);
    super({ name: entry.id, location, variant }, new Map(sizes));
    this.#entry = entry;
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const whole = await this.#whole(path);
    return range ? whole.slice(range.start, range.end) : whole;
  }

  /** Releases weights, which onnxruntime has by now. */
  release(): void {
    for (const path of this.#held.keys()) if (this.size(path) > SMALL) this.#held.delete(path);
  }

  /** Read once for all callers: headers, layout and graphs are parts of the same file. */
  #whole(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#held.get(path);
    if (known) return known;
    const reading = this.#read(path);
    this.#held.set(path, reading);
    reading.catch(() => this.#held.delete(path));
    return reading;
  }

  async #read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const size = this.size(path);
    const { sha256 } = this.#entry.files[path];
    const store = await WeightStore.open();
    const kept = await store.read(sha256);
    if (kept?.length === size && await digest(kept) === sha256) return kept;
    const bytes = await this.#fetch(
      path,
      size,
      kept && kept.length < size ? kept : undefined,
      store,
    );
    if (await digest(bytes) !== sha256) {
      await store.remove(sha256);
      throw new AppError(
        "download_failed",
        `Cannot use ${path} of ${this.name}: what the server sent is not that file`,
      );
    }
    return bytes;
  }

  /** Resumes an earlier download, and stores bytes as they arrive. */
  async #fetch(
    path: string,
    size: number,
    part: Uint8Array<ArrayBuffer> | undefined,
    store: WeightStore,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { sha256 } = this.#entry.files[path];
    const { signal, onBytes } = this.download;
    using watchdog = new Watchdog({ fetch, stallMs: STALL_MS }, signal);
    const bytes = new Uint8Array(size);
    let got = part?.length ?? 0;
    if (part) bytes.set(part);
    try {
      const headers: Record<string, string> = got > 0 ? { range: `bytes=${got}-${size - 1}` } : {};
      const response = await watchdog.during(
        fetch(new URL(path, this.location), { headers, signal: watchdog.signal }),
      );
      if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
      if (got > 0 && response.status !== 206) got = 0;
      await using keeping = await store.write(sha256, got);
      const reader = response.body.getReader();
      const read = () => watchdog.during(reader.read());
      for (let next = await read(); !next.done; next = await read()) {
        if (got + next.value.length > size) {
          throw new Error(`it is longer than ${counted(size, "byte")}`);
        }
        bytes.set(next.value, got);
        await keeping.append(next.value);
        got += next.value.length;
        this.fetched += next.value.length;
        onBytes?.(path, got, size);
      }
      if (got < size) throw new Error(`it ended after ${got} of ${counted(size, "byte")}`);
      return bytes;
    } catch (cause) {
      if (cause instanceof AppError && cause.code === "cancelled") throw cause;
      throw new AppError(
        "download_failed",
        `Cannot fetch ${path} of ${this.name}: ${reason(cause)}; another try goes on from there`,
        { cause },
      );
    }
  }
}
