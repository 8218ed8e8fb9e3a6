import { stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { fileStream, isMissing } from "../storage/mod.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ORT = join(ROOT, "node_modules", "onnxruntime-web", "dist");
const MODELS = join(ROOT, "models");
/** The page of the API, and the npm package that draws it. */
const DOCS = join(ROOT, "server", "web", "docs");
const SWAGGER = join(ROOT, "node_modules", "swagger-ui-dist");
const SWAGGER_FILES = ["swagger-ui-bundle.js", "swagger-ui.css"];

/** Where `deno task build` puts the pages. */
export const SITE_FOLDER = join(ROOT, "browser", "dist");

/** What of onnxruntime-web the pages load. */
export const ORT_FILES = [
  "ort.webgpu.bundle.min.mjs",
  "ort.wasm.bundle.min.mjs",
  "ort-wasm-simd-threaded.asyncify.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
  "ort-wasm-simd-threaded.mjs",
  "ort-wasm-simd-threaded.wasm",
];

/** Models that a tab may have, by the folder of their name. */
export const SITE_MODELS = ["tau-tiny", "esrgan-slim-x2"];

/**
 * Own scripts alone, none inline; miners may be anywhere, and so may the nodes of the chain. Isolation gives wasm its threads.
 */
export const SITE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self' http: https: ws: wss:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  mjs: "text/javascript",
  css: "text/css",
  json: "application/json",
  svg: "image/svg+xml",
  webp: "image/webp",
  txt: "text/plain",
  wasm: "application/wasm",
};

/** Weights, which hardly shrink, are streamed; what shrinks is compressed once, and held so. */
const compressed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/**
 * Answers for the pages, for onnxruntime and for models.
 * @param site the folder of `deno task build`; onnxruntime and models are taken from where they are.
 * @returns undefined for what is not there.
 */
export async function siteFile(request: Request, site: string): Promise<Response | undefined> {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const { pathname } = new URL(request.url);
  // What the page names is beside it.
  if (pathname === "/docs") return redirected("docs/");
  const path = pathOf(pathname, site);
  if (path === undefined) return undefined;
  try {
    const found = await stat(path.file);
    if (!found.isFile()) return undefined;
    const { size, mtime } = found;
    return await answer(request, { ...path, size, version: `W/"${size}-${mtime.getTime()}"` });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function redirected(location: string): Response {
  return new Response(null, { status: 308, headers: { ...SITE_HEADERS, location } });
}

/** Characters: what is served has less, and a file system refuses a name of more than 255. */
const MAX_PATH = 200;

/** A file within the folders that are served, whatever the address says. */
function pathOf(
  pathname: string,
  site: string,
): { readonly file: string; readonly cached: boolean } | undefined {
  if (pathname.length > MAX_PATH) return undefined;
  if (!/^[\w./-]*$/.test(pathname) || pathname.includes("..")) return undefined;
  const [, top, name] = pathname.split("/");
  if (top === "ort") {
    return ORT_FILES.includes(name) ? { file: join(ORT, name), cached: false } : undefined;
  }
  if (top === "docs") {
    const file = SWAGGER_FILES.includes(name)
      ? join(SWAGGER, name)
      : join(DOCS, name || "index.html");
    return { file, cached: false };
  }
  if (top === "models") {
    const file = normalize(join(MODELS, pathname.slice("/models".length)));
    const own = SITE_MODELS.includes(name) && file.startsWith(join(MODELS, name) + sep);
    return own ? { file, cached: false } : undefined;
  }
  const file = join(site, pathname === "/" ? "index.html" : pathname);
  return { file, cached: top === "assets" };
}

/** A file that is there. */
interface Found {
  readonly file: string;
  readonly cached: boolean;
  /** Bytes. */
  readonly size: number;
  /** As an ETag. */
  readonly version: string;
}

async function answer(
  request: Request,
  { file, cached, size, version }: Found,
): Promise<Response> {
  const type = TYPES[file.slice(file.lastIndexOf(".") + 1)];
  const headers = new Headers({
    ...SITE_HEADERS,
    "accept-ranges": "bytes",
    "cache-control": cached ? "public, max-age=31536000, immutable" : "no-cache",
    "content-type": type ?? "application/octet-stream",
    // A browser that has onnxruntime asks whether it is still that, not for 14 MB of it.
    ...(type && { etag: version, vary: "accept-encoding" }),
  });
  if (type && request.headers.get("if-none-match") === version) {
    return new Response(null, { status: 304, headers });
  }
  const range = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(request.headers.get("range") ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, size) : size;
  if (range && start >= end) {
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  if (range) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD") {
    headers.set("content-length", String(end - start));
    return new Response(null, { status, headers });
  }
  if (type && !range && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) {
    headers.set("content-encoding", "gzip");
    return new Response(await compress(file, `${file} ${version}`), { status, headers });
  }
  headers.set("content-length", String(end - start));
  return new Response(await fileStream(file, { start, end }), { status, headers });
}

function compress(file: string, key: string): Promise<Uint8Array<ArrayBuffer>> {
  const known = compressed.get(key);
  if (known) return known;
  const compressing = fileStream(file).then((stream) =>
    new Response(stream.pipeThrough(new CompressionStream("gzip"))).bytes()
  );
  compressed.set(key, compressing);
  compressing.catch(() => compressed.delete(key));
  return compressing;
}
