import { gzipSync } from "node:zlib";
import { siteFile } from "../../server/web/mod.ts";

/** The pages on an origin of their own, with what was asked for. */
export interface SiteServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: SiteRequest[];
  /** Cuts a path's next answer after so many bytes. */
  cut(path: string, bytes: number): void;
  /** Holds back the body of a path's next answer. @returns releases it when called. */
  stall(path: string): () => void;
  /** Answers 404 for paths like it, from now on. */
  lose(paths: RegExp): void;
}

export interface SiteRequest {
  readonly path: string;
  readonly range: string | null;
  readonly status: number;
  /** As a server that compresses sends it. */
  readonly compressed: number;
}

export function serveSite(folder: string): SiteServer {
  const requests: SiteRequest[] = [];
  const cuts = new Map<string, number>();
  const stalls = new Map<string, Promise<void>>();
  const lost: RegExp[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname: path } = new URL(request.url);
      const found = lost.some((each) => each.test(path))
        ? undefined
        : await siteFile(request, folder);
      const response = found ?? new Response("no", { status: 404 });
      const range = request.headers.get("range");
      const bytes = await response.bytes();
      const compressed = compressedSize(path, bytes);
      requests.push({ path, range, status: response.status, compressed });
      const { status, headers } = response;
      if (status === 304) return new Response(null, { status, headers });
      const stalled = stalls.get(path);
      if (stalled) {
        stalls.delete(path);
        return new Response(heldBack(bytes, stalled), { status, headers });
      }
      const cut = cuts.get(path);
      if (cut === undefined) return new Response(bytes, { status, headers });
      cuts.delete(path);
      return new Response(broken(bytes.subarray(0, cut)), { status, headers });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    cut: (path, bytes) => void cuts.set(path, bytes),
    stall: (path) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      stalls.set(path, promise);
      return resolve;
    },
    lose: (paths) => void lost.push(paths),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** By path and size: onnxruntime is fetched by nearly every test, and takes a second. */
const compressedSizes = new Map<string, number>();

function compressedSize(path: string, bytes: Uint8Array): number {
  const key = `${path} ${bytes.length}`;
  const known = compressedSizes.get(key);
  if (known !== undefined) return known;
  const size = Math.min(bytes.length, gzipSync(bytes).length);
  compressedSizes.set(key, size);
  return size;
}

function heldBack(bytes: Uint8Array, until: Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      await until;
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** Bytes of one pull. */
const PIECE = 65_536;

/** A body that breaks off, as a connection does: when all pieces have been taken to be sent. */
function broken(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= bytes.length) return controller.error(new Error("the connection broke"));
      controller.enqueue(bytes.subarray(sent, sent += PIECE));
    },
  }, { highWaterMark: 0 });
}
