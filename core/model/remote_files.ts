import { counted } from "../counted.ts";
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

/**
 * A range of a file. Failures are tried again, from its first byte.
 * @throws AppError `download_failed`, `cancelled`.
 * @see RFC 9110, section 14.
 */
export async function fetchRange(
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
    if (response.ok) return await rangeOf(response, range, doing, watch);
    await response.body?.cancel();
    return retryOrThrow(response, doing);
  });
}

async function rangeOf(
  response: Response,
  { start, end }: ByteRange,
  doing: string,
  watch: Watchdog,
): Promise<Uint8Array<ArrayBuffer> | Retry> {
  const bytes = new Uint8Array(end - start);
  const got = firstByte(response, start) === start
    ? await readInto(bytes, response, watch)
    : undefined;
  if (got === bytes.length) return bytes;
  if (got !== undefined) return new Retry(`${got} of ${counted(bytes.length, "byte")} came`);
  await response.body?.cancel().catch(() => {});
  const why = "the server sends other bytes than were asked for: whole files alone, it seems";
  throw new AppError("download_failed", `Cannot ${doing}: ${why}. Download it, and open the copy`);
}

/** A browser hides from its pages where a range of another origin starts: it is the one asked for. */
function firstByte(response: Response, asked: number): number | undefined {
  if (response.status !== 206) return 0;
  return response.headers.has("content-range") ? contentRange(response).start : asked;
}

/** @returns how many bytes came; undefined for more than there is room for, the rest is not read. */
async function readInto(
  bytes: Uint8Array,
  { body }: Response,
  watch: Watchdog,
): Promise<number | undefined> {
  const reader = body?.getReader();
  if (!reader) return 0;
  let got = 0;
  try {
    for (;;) {
      const { done, value } = await watch.during(reader.read());
      if (done) return got;
      if (got + value.length > bytes.length) return undefined;
      bytes.set(value, got);
      got += value.length;
    }
  } finally {
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
