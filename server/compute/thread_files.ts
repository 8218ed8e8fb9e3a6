import type { MessagePort } from "node:worker_threads";
import { AppError, type ErrorCode, reason } from "../../core/error.ts";
import { type ByteRange, missingFile, type ModelFiles } from "../../core/model/mod.ts";
import { DescribedFiles, type ModelDescription } from "../../core/remote/mod.ts";
import { isMissing, readFileRange } from "../storage/mod.ts";

interface Read {
  readonly read: number;
  readonly path: string;
  readonly range?: ByteRange;
}

type Answer =
  | { readonly read: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly read: number; readonly code: ErrorCode; readonly message: string };

/** Reads a model's files for a thread, at this end of a port, until the port is closed. */
export function serveFiles(files: ModelFiles, port: MessagePort): void {
  port.on("message", async ({ read, path, range }: Read) => {
    try {
      // A copy: the files may hand out views of what they keep, and sending transfers the buffer.
      const bytes = (await files.bytes(path, range)).slice();
      port.postMessage({ read, bytes }, [bytes.buffer]);
    } catch (error) {
      const code = error instanceof AppError ? error.code : "storage_failed";
      port.postMessage({ read, code, message: reason(error) });
    }
  });
}

/** Where a thread reads a model's files. */
export interface FilePlaces {
  readonly port: MessagePort;
  readonly local: ReadonlyMap<string, string>;
}

/** Those of a model's files that lie on disk as they are. */
export function localPlaces(files: ModelFiles): ReadonlyMap<string, string> {
  const places = files.paths.map((path) => [path, files.localPath?.(path)] as const);
  return new Map(places.filter((place): place is [string, string] => place[1] !== undefined));
}

/** Bytes that go over a port at once: Deno sends less than 2 GiB, and each piece is held twice. */
const PIECE = 64 * 2 ** 20;

/** A model's files as a thread sees them: read at the other end of a port. */
export class ThreadFiles extends DescribedFiles {
  readonly #local: ReadonlyMap<string, string>;
  readonly #port: MessagePort;
  readonly #piece: number;
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array<ArrayBuffer>>>();
  #last = 0;

  /**
   * @param local where files lie on disk, by path: onnxruntime-node opens them there.
   * @param piece bytes of a file that are asked for at once.
   */
  constructor(
    model: ModelDescription,
    { port, local }: FilePlaces,
    piece = PIECE,
  ) {
    super(model);
    this.#port = port;
    this.#piece = piece;
    this.#local = local;
    port.on("message", (answer: Answer) => this.#take(answer));
  }

  localPath(path: string): string | undefined {
    return this.#local.get(this.#known(path));
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { start, end } = range ?? { start: 0, end: this.size(path) };
    const local = this.localPath(path);
    if (local) return await this.#readLocal(local, path, { start, end });
    if (end - start <= this.#piece) return await this.#read(path, range);
    const bytes = new Uint8Array(end - start);
    for (let at = start; at < end; at += this.#piece) {
      const piece = await this.#read(path, { start: at, end: Math.min(at + this.#piece, end) });
      bytes.set(piece, at - start);
    }
    return bytes;
  }

  /** A port takes minutes for what a disk reads in seconds. */
  async #readLocal(
    local: string,
    path: string,
    range: ByteRange,
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await readFileRange(local, range);
    } catch (cause) {
      if (isMissing(cause)) throw missingFile(this, path);
      throw new AppError("storage_failed", `Cannot read ${local}: ${reason(cause)}`, { cause });
    }
  }

  #read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const read = ++this.#last;
    const waiting = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    this.#waiting.set(read, waiting);
    this.#port.postMessage({ read, path: this.#known(path), range });
    return waiting.promise;
  }

  #known(path: string): string {
    if (this.has(path)) return path;
    throw missingFile(this, path);
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.read);
    this.#waiting.delete(answer.read);
    if ("bytes" in answer) waiting?.resolve(answer.bytes);
    else waiting?.reject(new AppError(answer.code, answer.message));
  }
}
