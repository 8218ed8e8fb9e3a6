import { counted } from "../../../core/counted.ts";
import { AppError, reason } from "../../../core/error.ts";
import {
  type ByteRange,
  candidateFiles,
  chooseFiles,
  decodeModelIndex,
  ListedFiles,
  MODEL_INDEX,
  openUrl,
  type RemoteFile,
  selectedParts,
  type Transport,
  Watchdog,
} from "../../../core/model/mod.ts";
import { shardPaths } from "../../../core/safetensors/mod.ts";
import type { Download } from "./cached_files.ts";

/** Without a byte for so long a server has stalled. */
const TRANSPORT: Transport = { fetch: (input, init) => fetch(input, init), stallMs: 60_000 };
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

  private constructor(base: string, found: ReadonlyMap<string, RemoteFile>) {
    const sizes = [...found].map(([path, { size = 0 }]) => [path, size] as const);
    super({ name: base, location: base }, new Map(sizes));
    this.#found = found;
  }

  /**
   * Finds what the folder has.
   * @throws AppError `model_not_found` when it is no such folder, `download_failed`, `cancelled`.
   */
  static async open(address: string, signal: AbortSignal): Promise<RemoteFiles> {
    const base = address.endsWith("/") ? address : `${address}/`;
    const folder = openUrl(base, TRANSPORT, signal);
    const index = await folder.find(MODEL_INDEX);
    if (!index) {
      const why = "it is not there, or the server does not let this page read it (CORS)";
      throw new AppError("model_not_found", `Cannot open ${base}${MODEL_INDEX}: ${why}`);
    }
    const json = await (await fetch(index.url, { signal })).json();
    const decoded = decodeModelIndex(json, base);
    const candidates = selectedParts(decoded, {}).flatMap((part) => candidateFiles(part, {}));
    const look = async (paths: readonly string[]) => {
      const files = await Promise.all(paths.map((path) => folder.find(path)));
      return files.flatMap((file) => file ? [[file.path, file] as const] : []);
    };
    const found = new Map([[MODEL_INDEX, index] as const, ...await look([...new Set(candidates)])]);
    const chosen = chooseFiles(decoded, (path) => found.has(path), {}, base);
    const files = new RemoteFiles(base, found);
    for (const path of chosen.filter((each) => each.includes(".safetensors.index."))) {
      for (const file of await look(await shardPaths(files, path))) found.set(...file);
    }
    return new RemoteFiles(base, found);
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const size = this.size(path);
    const start = range?.start ?? 0;
    const end = Math.min(range?.end ?? size, size);
    if (start === end) return new Uint8Array();
    if (end > START) return await this.#fetch(path, { start, end });
    const key = `${path} ${start} ${end}`;
    const known = this.#held.get(key) ?? this.#fetch(path, { start, end });
    this.#held.set(key, known);
    known.catch(() => this.#held.delete(key));
    return (await known).slice();
  }

  release(): void {}

  async #fetch(path: string, { start, end }: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { signal, onBytes } = this.download;
    using watchdog = new Watchdog(TRANSPORT, signal);
    const bytes = new Uint8Array(end - start);
    let got = 0;
    try {
      const headers = { range: `bytes=${start}-${end - 1}` };
      const url = this.#found.get(path)?.url ?? "";
      const response = await watchdog.during(fetch(url, { headers, signal: watchdog.signal }));
      const whole = response.status === 200 && start === 0 && end === this.size(path);
      if (!response.body || !(response.status === 206 || whole)) {
        throw new Error(`the server answered ${response.status} to a request for a range`);
      }
      const reader = response.body.getReader();
      const read = () => watchdog.during(reader.read());
      for (let next = await read(); !next.done; next = await read()) {
        if (got + next.value.length > bytes.length) {
          throw new Error("it is longer than was asked for");
        }
        bytes.set(next.value, got);
        got += next.value.length;
        this.fetched += next.value.length;
        onBytes?.(path, got, bytes.length);
      }
      if (got < bytes.length) {
        throw new Error(`it ended after ${got} of ${counted(bytes.length, "byte")}`);
      }
      return bytes;
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        "download_failed",
        `Cannot fetch ${path} of ${this.name}: ${reason(cause)}`,
        {
          cause,
        },
      );
    }
  }
}
