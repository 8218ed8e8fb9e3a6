import { fileURLToPath } from "node:url";
import { AppError, reason } from "../../core/error.ts";

const BROWSER = new URL("../../browser/", import.meta.url);
const ORT = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};
/** Cross-origin isolation: without it a page's clock is blurred to 100 us. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-store",
};

/** The bench page on a loopback port. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** @param port 0 for any. @throws AppError `host_unavailable` when the page can't be built. */
export async function servePage(port = 0): Promise<PageServer> {
  const files = await buildPage();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    (request) => answer(files, new URL(request.url).pathname),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/bench.html`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Built in memory from its sources, with vite's settings for all our pages. */
async function buildPage(): Promise<ReadonlyMap<string, string | Uint8Array<ArrayBuffer>>> {
  try {
    const { build } = await import("vite");
    const result = await build({
      configFile: fileURLToPath(new URL("vite.config.ts", BROWSER)),
      logLevel: "silent",
      build: {
        write: false,
        rolldownOptions: { input: [fileURLToPath(new URL("bench.html", BROWSER))] },
      },
    });
    const [built] = [result].flat();
    if (!("output" in built)) throw new Error("vite gave a watcher");
    return new Map(built.output.map((file) => [
      `/${file.fileName}`,
      file.type === "chunk" ? file.code : new Uint8Array(bytesOf(file.source)),
    ]));
  } catch (cause) {
    const message = `Cannot build the bench page: ${reason(cause)}`;
    throw new AppError("host_unavailable", message, { cause });
  }
}

function bytesOf(source: string | Uint8Array): Uint8Array {
  return typeof source === "string" ? new TextEncoder().encode(source) : source;
}

async function answer(
  files: ReadonlyMap<string, string | Uint8Array<ArrayBuffer>>,
  path: string,
): Promise<Response> {
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  const headers = { ...HEADERS, "content-type": type };
  const [, ort] = /^\/ort\/(ort[\w.-]*\.(?:mjs|wasm))$/.exec(path) ?? [];
  const body = ort
    ? await Deno.readFile(new URL(ort, ORT)).catch(() => undefined)
    : files.get(path);
  return body ? new Response(body, { headers }) : new Response("It is not here", { status: 404 });
}
