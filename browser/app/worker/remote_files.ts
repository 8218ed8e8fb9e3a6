import { reason } from "../../../core/error.ts";
import {
  type ByteRange,
  fetchRange,
  ListedFiles,
  lookUpModel,
  openUrl,
  type RemoteFile,
  type Transport,
} from "../../../core/model/mod.ts";
import type { Download } from "./cached_files.ts";

/** A page sees no redirects. Without a byte for so long a server has stalled. */
const TRANSPORT: Transport = { fetch: fetchExplained, redirect: "follow", stallMs: 60_000 };
/** Configurations and headers, which are read more than once, begin and end before here. */
const START = 2 ** 20;

/**
 * A folder of diffusers on a web server, which lets this page read it (CORS). Only the bytes that are
 * needed are fetched, by ranges; weights are not kept on this machine.
 */
export class RemoteFiles extends ListedFiles {
  readonly #found: ReadonlyMap<string, RemoteFile>;
  readonly #held = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  download: Download = {};
  /** Bytes that were fetched. */
  fetched = 0;

  private constructor(name: string, found: readonly RemoteFile[]) {
    super({ name, location: name }, new Map(found.map(({ path, size = 0 }) => [path, size])));
    this.#found = new Map(found.map((file) => [file.path, file]));
  }

  /**
   * Finds what the folder has.
   * @param base ends with a slash.
   * @throws AppError `model_not_found` when it is no such folder, `download_failed`, `cancelled`.
   */
  static async open(base: string, signal: AbortSignal): Promise<RemoteFiles> {
    const remote = openUrl(base, TRANSPORT, signal);
    const read = (files: readonly RemoteFile[]) => {
      const opened = new RemoteFiles(remote.name, files);
      opened.download = { signal };
      return opened;
    };
    const found = await lookUpModel({ remote, selection: {}, expected: {} }, read);
    return new RemoteFiles(remote.name, found);
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const size = this.size(path);
    const start = range?.start ?? 0;
    const end = Math.min(range?.end ?? size, size);
    if (start >= end) return new Uint8Array();
    if (end > START) return await this.#fetch(path, { start, end });
    const key = `${path} ${start} ${end}`;
    const known = this.#held.get(key) ?? this.#fetch(path, { start, end });
    this.#held.set(key, known);
    known.catch(() => this.#held.delete(key));
    return (await known).slice();
  }

  release(): void {}

  async #fetch(path: string, range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#found.get(path);
    const { signal, onBytes } = this.download;
    const fetch = async (url: string, init?: RequestInit) => {
      let got = 0;
      return counting(await fetchExplained(url, init), (bytes) => {
        got += bytes;
        this.fetched += bytes;
        onBytes?.(path, got, range.end - range.start);
      });
    };
    return file ? await fetchRange(file, range, { ...TRANSPORT, fetch }, signal) : new Uint8Array();
  }
}

/** The same answer; of each chunk of its body the bytes are reported. */
function counting(response: Response, onBytes: (bytes: number) => void): Response {
  const body = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        onBytes(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(body, response);
}

/** The browser's own words are the same for a server that is down and one that is not open to pages. */
async function fetchExplained(url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    const why = "the server is down, or does not let this page read it (CORS)";
    throw new Error(`${reason(cause)}: ${why}`, { cause });
  }
}
