import { fileURLToPath } from "node:url";
import { reason } from "../../core/error.ts";
import type { ByteRange, ModelFiles } from "../../core/model/mod.ts";
import { describeFiles, type ServedModel } from "../../core/remote/mod.ts";
import { type HttpServer, serve, upgradeToWebSocket } from "../runtime/mod.ts";
import { fileStream, isMissing } from "../storage/mod.ts";
import { type Bundle, bundlePage, type DrivenPage } from "./chrome_bundle.ts";

const ORT = fileURLToPath(
  new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url),
);
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  // A browser takes no style of another type.
  css: "text/css",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};
/** Cross-origin isolation, without which a page has no shared memory and wasm no threads. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
const SILENCE = 60;
/** Bytes of a weight file in memory at once. */
const PIECE = 16 * 2 ** 20;

export interface ChromeServerOptions {
  readonly page?: DrivenPage;
  /** Of the loopback; default: a free one. */
  readonly port?: number;
  /**
   * Seconds without an answer to a ping after which a socket is closed. Chrome answers by itself,
   * however busy its page is: one that does not is stopped or hangs.
   */
  readonly silence?: number;
}

/** The address of a page to load and the socket that its worker opens. */
export interface PageVisit extends Disposable {
  readonly url: string;
  readonly socket: Promise<WebSocket>;
}

/**
 * What the driven Chrome loads: the page, onnxruntime and models, on a loopback port of its own.
 * Models and sockets are behind secrets in their addresses, which only our Chrome is given.
 */
export class ChromeServer implements AsyncDisposable {
  readonly #bundle: Bundle;
  readonly #server: HttpServer;
  readonly #models = new Map<string, ModelFiles>();
  readonly #visits = new Map<string, (socket: WebSocket) => void>();

  readonly #page: DrivenPage;
  readonly #silence: number;

  private constructor(
    bundle: Bundle,
    { page, port, silence }: Required<ChromeServerOptions>,
  ) {
    this.#bundle = bundle;
    this.#page = page;
    this.#silence = silence;
    const address = { hostname: "127.0.0.1", port };
    this.#server = serve(address, async (request) => await this.#answer(request));
  }

  /** @throws AppError `host_unavailable` when the page cannot be built. */
  static async start(
    { page = "compute.html", port = 0, silence = SILENCE }: ChromeServerOptions = {},
  ): Promise<ChromeServer> {
    return new ChromeServer(await bundlePage(page), { page, port, silence });
  }

  /** The page, where no socket is needed. */
  get url(): string {
    return `${this.#origin}/${this.#page}`;
  }

  visit(): PageVisit {
    const token = secret();
    const { promise, resolve } = Promise.withResolvers<WebSocket>();
    this.#visits.set(token, resolve);
    return {
      url: `${this.url}?token=${token}`,
      socket: promise,
      [Symbol.dispose]: () => void this.#visits.delete(token),
    };
  }

  /** Serves a model's files until disposed. */
  serve(files: ModelFiles): ServedModel {
    const token = secret();
    this.#models.set(token, files);
    return {
      model: describeFiles(files, `${this.#origin}/models/${token}/`),
      [Symbol.dispose]: () => void this.#models.delete(token),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  get #origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/socket") return this.#openSocket(request, searchParams.get("token") ?? "");
    const [, top, name, ...rest] = pathname.split("/").map(decodeURIComponent);
    const built = this.#bundle.get(pathname);
    if (built !== undefined) return new Response(built, { headers: headersFor(pathname) });
    if (top === "ort" && /^ort[\w.-]*\.(mjs|wasm)$/.test(name)) return await ortFile(name);
    const files = top === "models" ? this.#models.get(name) : undefined;
    return files ? await modelFile(files, rest.join("/"), request) : notFound();
  }

  /** A secret opens one socket. */
  #openSocket(request: Request, token: string): Response {
    const arrived = this.#visits.get(token);
    if (!arrived || request.headers.get("upgrade") !== "websocket") return notFound();
    this.#visits.delete(token);
    const { socket, response } = upgradeToWebSocket(request, this.#silence);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => arrived(socket), { once: true });
    return response;
  }
}

function secret(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

function headersFor(path: string): Record<string, string> {
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return { ...ISOLATION, "content-type": type };
}

function notFound(): Response {
  return new Response("Not found", { status: 404, headers: ISOLATION });
}

async function ortFile(name: string): Promise<Response> {
  try {
    return new Response(await fileStream(ORT + name), { headers: headersFor(name) });
  } catch (error) {
    if (isMissing(error)) return notFound();
    throw error;
  }
}

async function modelFile(
  files: ModelFiles,
  path: string,
  request: Request,
): Promise<Response> {
  try {
    const size = files.size(path);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    const range = from ? { start: Number(from), end: Math.min(Number(to) + 1, size) } : undefined;
    const { start, end } = range ?? { start: 0, end: size };
    const headers = { ...headersFor(path), "content-length": String(end - start) };
    // Read before the answer begins, so that a file that cannot be read is an answer of its own.
    const first = await files.bytes(path, { start, end: Math.min(start + PIECE, end) });
    const body = streamOf(files, path, first, { start, end });
    if (!range) return new Response(body, { headers });
    const place = `bytes ${start}-${end - 1}/${size}`;
    return new Response(body, { status: 206, headers: { ...headers, "content-range": place } });
  } catch (error) {
    return new Response(reason(error), { status: 404, headers: ISOLATION });
  }
}

/** A range in pieces, of which the first is read already. */
function streamOf(
  files: ModelFiles,
  path: string,
  first: Uint8Array<ArrayBuffer>,
  { start, end }: ByteRange,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = start;
  return new ReadableStream({
    async pull(controller) {
      if (at >= end) return controller.close();
      const next = Math.min(at + PIECE, end);
      controller.enqueue(at === start ? first : await files.bytes(path, { start: at, end: next }));
      at = next;
    },
  });
}
