import { readAtMost } from "../bounded_body.ts";
import { AppError } from "../error.ts";
import { contentRange } from "./http_headers.ts";
import { ListedFiles } from "./listed_files.ts";
import type { ByteRange } from "./model_files.ts";
import { showUrl } from "./model_source.ts";
import type { RemoteFile } from "./remote_folder.ts";
import { Retry, retryOrThrow, send, type Transport, Watchdog, withRetries } from "./transport.ts";

/** A model's files on a server: what is read of them is fetched, and not kept. */
export class RemoteFiles extends ListedFiles {
  readonly #files: ReadonlyMap<string, RemoteFile>;
  readonly #transport: Transport;
  readonly #signal?: AbortSignal;

  /** @throws AppError `download_failed` for a file whose size the server does not say. */
  constructor(
    of: { readonly name: string; readonly variant?: string },
    files: readonly RemoteFile[],
    transport: Transport,
    signal?: AbortSignal,
  ) {
    super({ ...of, location: of.name }, new Map(files.map((file) => [file.path, sizeOf(file)])));
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.#transport = transport;
    this.#signal = signal;
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = range ?? { start: 0, end: this.size(path) };
    const file = this.#files.get(path);
    if (!file || wanted.end <= wanted.start) return new Uint8Array();
    return await fetchRange(file, wanted, this.#transport, this.#signal);
  }
}

function sizeOf({ size, url }: RemoteFile): number {
  if (size !== undefined) return size;
  throw new AppError("download_failed", `Cannot read ${showUrl(url)}: its size is not said`);
}

/** @see RFC 9110, section 14. */
async function fetchRange(
  { path, url }: RemoteFile,
  range: ByteRange,
  transport: Transport,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const doing = `read ${path} at ${showUrl(url)}`;
  const headers = {
    "accept-encoding": "identity",
    range: `bytes=${range.start}-${range.end - 1}`,
  };
  return await withRetries(transport, { doing, signal }, async () => {
    using watch = new Watchdog(transport, signal);
    const { response } = await watch.during(
      send(transport, url, { headers, signal: watch.signal }),
    );
    if (!response.ok) {
      await response.body?.cancel();
      return retryOrThrow(response, doing);
    }
    return await rangeOf(response, range, doing, watch);
  });
}

async function rangeOf(
  response: Response,
  { start, end }: ByteRange,
  doing: string,
  watch: Watchdog,
): Promise<Uint8Array<ArrayBuffer> | Retry> {
  const first = response.status === 206 ? contentRange(response).start : 0;
  const bytes = first === start
    ? await watch.during(readAtMost(response, end - start, watch.signal))
    : undefined;
  if (bytes?.length === end - start) return bytes;
  if (bytes) return new Retry(`${bytes.length} of ${end - start} bytes came`);
  await response.body?.cancel().catch(() => {});
  const why = "the server sends whole files alone, and this is one of weights";
  throw new AppError("download_failed", `Cannot ${doing}: ${why}. \`models pull\` fetches it`);
}
