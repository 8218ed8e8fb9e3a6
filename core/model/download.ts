import { counted } from "../counted.ts";
import { AppError, throwIfAborted } from "../error.ts";
import { Meter } from "./download_meter.ts";
import { contentRange, lengthOf, rangeHeaders, validatorOf } from "./http_headers.ts";
import type { ModelProgress } from "./model_progress.ts";
import type { RemoteFile } from "./remote_folder.ts";
import { Retry, retryOrThrow, send, type Transport, Watchdog, withRetries } from "./transport.ts";

/** A running SHA-256. Weights are gigabytes: pass the fastest implementation. */
export interface Hasher {
  update(bytes: Uint8Array): unknown;
  /** Lower-case hex. */
  digest(): string;
}

/** A partly downloaded file. Its bytes outlive a lost connection and a killed process. */
export interface PartialFile {
  /** Bytes so far, some perhaps from an earlier run. */
  readonly bytes: number;
  /** What the server called the file these bytes are of, as {@link restart} was given it. */
  readonly validator?: string;
  /** The bytes so far, in order. */
  read(): AsyncIterable<Uint8Array>;
  /** Drops the bytes; those that follow are of the file that the server names so. */
  restart(validator?: string): Promise<void>;
  /** @throws AppError `storage_failed`, as when the disk is full. */
  append(chunk: Uint8Array): Promise<void>;
  /** Makes it the file, atomically. */
  commit(): Promise<void>;
  /** Deletes the bytes. */
  discard(): Promise<void>;
  /** Closes it; bytes that are not committed are kept for a later run. */
  close(): Promise<void>;
}

/** Where files are kept: a folder, or a browser's private file system. */
export interface ModelStore {
  /** @param bytes How large the file will be, where that is known. */
  open(path: string, bytes?: number): Promise<PartialFile>;
}

export interface DownloadOptions {
  /** For messages: which model this is. */
  readonly model: string;
  readonly transport: Transport;
  readonly store: ModelStore;
  readonly sha256: () => Hasher;
  /** Files fetched at a time. Default 4. */
  readonly parallel?: number;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

/** A file that is in the store, whole. */
export interface DownloadedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/**
 * Fetches files into the store. Resumes what an earlier run left; compares the SHA-256 with
 * the expected one where there is one, the size otherwise. When one fails the others stop.
 * @throws AppError `download_failed`, `storage_failed`, `cancelled`.
 */
export async function downloadFiles(
  files: readonly RemoteFile[],
  options: DownloadOptions,
): Promise<DownloadedFile[]> {
  const stop = new AbortController();
  const { signal: outer, parallel = 4 } = options;
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const meter = new Meter(files, options.onProgress);
  const queue = files.entries();
  const done: DownloadedFile[] = [];
  const work = async () => {
    for (const [i, file] of queue) {
      done[i] = await new Download(file, { ...options, signal }, meter).run();
    }
  };
  const workers = Array.from(
    { length: parallel },
    () => work().catch((error) => stop.abort(error)),
  );
  await Promise.all(workers);
  throwIfAborted(outer, `download ${options.model}`);
  if (stop.signal.aborted) throw stop.signal.reason;
  return done;
}

interface Opened {
  readonly file: PartialFile;
  hash: Hasher;
  /** Bytes, once anyone has said. */
  size: number | undefined;
  /** True when the bytes did not all come with one answer. */
  resumed: boolean;
}

/** One file from its first request to its place in the store. */
class Download {
  readonly #remote: RemoteFile;
  readonly #options: DownloadOptions;
  readonly #meter: Meter;
  readonly #doing: string;

  constructor(remote: RemoteFile, options: DownloadOptions, meter: Meter) {
    this.#remote = remote;
    this.#options = options;
    this.#meter = meter;
    this.#doing = `download ${remote.path} of ${options.model}`;
  }

  async run(): Promise<DownloadedFile> {
    const { path, size } = this.#remote;
    throwIfAborted(this.#options.signal, this.#doing);
    const file = await this.#options.store.open(path, size);
    try {
      const opened = { file, hash: this.#options.sha256(), size, resumed: false };
      await this.#rehash(opened);
      return await this.#fetchWhole(opened);
    } catch (error) {
      // Of what was refused nothing is to be kept, not even an empty file.
      if (file.bytes === 0) await file.discard();
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Bytes of an earlier run are kept if the rest can be recognised as of the same file. */
  async #rehash(opened: Opened): Promise<void> {
    const { file, size = Infinity } = opened;
    if (file.bytes === 0) return;
    const known = file.validator !== undefined || this.#remote.sha256 !== undefined;
    if (!known || file.bytes > size) return await this.#restart(opened);
    for await (const chunk of file.read()) {
      throwIfAborted(this.#options.signal, this.#doing);
      opened.hash.update(chunk);
    }
    opened.resumed = true;
    this.#meter.has(this.#remote.path, file.bytes, opened.size);
  }

  async #restart(opened: Opened, validator?: string): Promise<void> {
    await opened.file.restart(validator);
    opened.hash = this.#options.sha256();
    opened.resumed = false;
  }

  async #fetchWhole(opened: Opened): Promise<DownloadedFile> {
    const { path, sha256: expected } = this.#remote;
    await this.#fetchBytes(opened);
    const { resumed, file } = opened;
    const sha256 = opened.hash.digest();
    if (expected === undefined || sha256 === expected) return await this.#commit(file, sha256);
    await file.discard();
    if (!resumed) throw this.#mismatch("SHA-256", sha256, expected);
    // The bytes of the earlier run may be of another file: once more, from the first byte.
    this.#meter.retry(path, "what was kept of an earlier run does not fit; starting over");
    await this.#restart(opened);
    return await this.#fetchWhole(opened);
  }

  async #commit(file: PartialFile, sha256: string): Promise<DownloadedFile> {
    const { path } = this.#remote;
    const size = file.bytes;
    await file.commit();
    this.#meter.finish(path, size);
    return { path, size, sha256 };
  }

  async #fetchBytes(opened: Opened): Promise<void> {
    const { transport, signal } = this.#options;
    const onRetry = (message: string) => this.#meter.retry(this.#remote.path, message);
    const hooks = { doing: this.#doing, signal, onRetry, mark: () => opened.file.bytes };
    await withRetries(transport, hooks, () => this.#attempt(opened));
  }

  async #attempt(opened: Opened): Promise<Retry | void> {
    if (opened.file.bytes > 0 && opened.file.bytes === opened.size) return;
    if (!this.#canResume(opened.file)) await this.#restart(opened);
    using watch = new Watchdog(this.#options.transport, this.#options.signal);
    const headers = rangeHeaders(opened.file.bytes, opened.file.validator);
    const request = { headers, signal: watch.signal };
    const { response } = await watch.during(
      send(this.#options.transport, this.#remote.url, request),
    );
    const retry = await this.#accept(response, opened);
    if (retry === "take") return await this.#take(response, opened, watch);
    await response.body?.cancel();
    return retry === "whole" ? undefined : retry;
  }

  #canResume({ bytes, validator }: PartialFile): boolean {
    return bytes === 0 || validator !== undefined || this.#remote.sha256 !== undefined;
  }

  /** Whether to take the body, to keep the bytes there are, or to try again. */
  async #accept(response: Response, opened: Opened): Promise<"take" | "whole" | Retry> {
    const { file } = opened;
    const { start, total } = contentRange(response);
    switch (response.status) {
      case 200:
        await this.#restart(opened, validatorOf(response));
        this.#expect(opened, lengthOf(response));
        return "take";
      case 206:
        if (start !== file.bytes) {
          return await this.#startOver(opened, "the server sent another range");
        }
        this.#expect(opened, total);
        opened.resumed ||= start > 0;
        return "take";
      case 416:
        if (total === file.bytes) return "whole";
        return await this.#startOver(opened, "the server has another file than before");
      default:
        return retryOrThrow(response, this.#doing);
    }
  }

  async #startOver(opened: Opened, why: string): Promise<Retry> {
    await this.#restart(opened);
    return new Retry(why);
  }

  #expect(opened: Opened, size: number | undefined): void {
    if (size === undefined) return;
    const { size: expected } = this.#remote;
    if (expected !== undefined && size !== expected) throw this.#mismatch("size", size, expected);
    opened.size = size;
  }

  async #take(response: Response, opened: Opened, watch: Watchdog): Promise<Retry | void> {
    const reader = response.body?.getReader();
    if (!reader) return this.#ended(opened);
    try {
      for (;;) {
        const { done, value } = await watch.during(reader.read());
        if (done) return this.#ended(opened);
        await this.#append(opened, value);
      }
    } catch (error) {
      await reader.cancel().catch(() => {});
      throw error;
    }
  }

  async #append(opened: Opened, chunk: Uint8Array): Promise<void> {
    const { file, size } = opened;
    throwIfAborted(this.#options.signal, this.#doing);
    if (file.bytes + chunk.length > (size ?? Infinity)) {
      await file.discard();
      throw this.#mismatch("size", `more than ${size}`, `${size}`);
    }
    await file.append(chunk);
    opened.hash.update(chunk);
    this.#meter.has(this.#remote.path, file.bytes, size);
  }

  #ended({ file, size }: Opened): Retry | undefined {
    if (size === undefined || file.bytes === size) return undefined;
    return new Retry(`the connection closed after ${file.bytes} of ${counted(size, "byte")}`);
  }

  #mismatch(what: string, found: string | number, expected: string | number): AppError {
    return new AppError(
      "download_failed",
      `Cannot ${this.#doing}: its ${what} is ${found}, expected ${expected}. Nothing of it was kept`,
    );
  }
}
