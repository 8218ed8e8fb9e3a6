import { z } from "zod";
import { readAtMost } from "../bounded_body.ts";
import { AppError } from "../error.ts";
import { parseJsonText } from "../json_text.ts";
import { MODEL_INDEX } from "./model_index.ts";
import { describeSource, type ModelSource, showUrl, unknownModel } from "./model_source.ts";
import {
  type Answer,
  Retry,
  retryOrThrow,
  send,
  type Transport,
  Watchdog,
  withRetries,
} from "./transport.ts";

/** A file on a server, as far as the server says before it is fetched. */
export interface RemoteFile {
  readonly path: string;
  readonly url: string;
  /** Bytes. */
  readonly size?: number;
  /** Lower-case hex. */
  readonly sha256?: string;
}

/** A model's folder on a server. */
export interface RemoteFolder {
  /** `hf:owner/name@<commit>` or an address. */
  readonly name: string;
  /** The commit that a branch or tag stood for, so that the files can't change under us. */
  readonly commit?: string;
  /** Undefined when there is no such file. */
  find(path: string): Promise<RemoteFile | undefined>;
}

/** A hub and, for private models, the user's token. */
export interface HubAccess {
  /** `https://huggingface.co`, or a mirror. */
  readonly endpoint: string;
}

/** Of a repository's listing: one of a hundred thousand files has a fifth of it. */
const MAX_LISTING_BYTES = 2 ** 26;

type HubSource = Extract<ModelSource, { kind: "hub" }>;

/** @see https://huggingface.co/docs/hub/api, `GET /api/models/{repo_id}/revision/{revision}`. */
const hubInfo = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/i),
  siblings: z.array(z.object({
    rfilename: z.string(),
    size: z.number().optional(),
    lfs: z.object({ sha256: z.string() }).nullish(),
  })),
});
type HubInfo = z.infer<typeof hubInfo>;

/**
 * Resolves a revision to its commit and lists the repository. A mirror without the listing is asked
 * for each file.
 * @throws AppError `model_not_found`, `download_failed`, `cancelled`.
 */
export async function openHub(
  source: HubSource,
  hub: HubAccess,
  transport: Transport,
  signal?: AbortSignal,
): Promise<RemoteFolder> {
  const endpoint = hub.endpoint.replace(/\/+$/, "");
  const id = `${source.owner}/${source.name}`;
  const revision = encodeURIComponent(source.revision);
  const url = `${endpoint}/api/models/${id}/revision/${revision}?blobs=true`;
  const info = await hubListing(url, source, transport, signal);
  const resolve = (commit: string) => `${endpoint}/${id}/resolve/${encodeURIComponent(commit)}/`;
  if (info) return listedFolder(`hf:${id}@${info.sha}`, resolve(info.sha), info, transport, signal);
  return await probedHub(source, resolve, transport, signal);
}

async function hubListing(
  url: string,
  source: HubSource,
  transport: Transport,
  signal?: AbortSignal,
): Promise<HubInfo | undefined> {
  const doing = `look up ${describeSource(source)} at ${new URL(url).origin}`;
  return await withRetries(transport, { doing, signal }, async () => {
    using watch = new Watchdog(transport, signal);
    const { response } = await watch.during(send(transport, url, { signal: watch.signal }));
    if (response.ok) {
      const bytes = await watch.during(readAtMost(response, MAX_LISTING_BYTES));
      return decodeHubInfo(bytes, doing);
    }
    await response.body?.cancel();
    if (response.status !== 404) return retryOrThrow(response, doing);
    if (response.headers.get("x-error-code") === null) return undefined;
    throw notOnHub(source);
  });
}

function decodeHubInfo(bytes: Uint8Array | undefined, doing: string): HubInfo | Retry {
  if (!bytes) {
    const why = `the hub's answer has more than ${MAX_LISTING_BYTES} bytes`;
    throw new AppError("download_failed", `Cannot ${doing}: ${why}`);
  }
  try {
    return hubInfo.parse(parseJsonText(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new AppError("download_failed", `Cannot ${doing}: the answer is not the hub's`, {
      cause,
    });
  }
}

function notOnHub(source: HubSource): AppError {
  const why = "the hub has no such repository or revision";
  return unknownModel(describeSource(source), undefined, why);
}

function listedFolder(
  name: string,
  base: string,
  info: HubInfo,
  transport: Transport,
  signal?: AbortSignal,
): RemoteFolder {
  const files = new Map(info.siblings.map((file) => [file.rfilename, file]));
  const find = async (path: string): Promise<RemoteFile | undefined> => {
    const listed = files.get(path);
    const url = fileUrl(base, path);
    if (listed?.size === undefined) return listed && await probe(path, url, transport, signal);
    return { path, url, size: listed.size, sha256: sha256Of(listed.lfs?.sha256) };
  };
  return { name, commit: info.sha, find };
}

async function probedHub(
  source: HubSource,
  resolve: (revision: string) => string,
  transport: Transport,
  signal?: AbortSignal,
): Promise<RemoteFolder> {
  const url = fileUrl(resolve(source.revision), MODEL_INDEX);
  const answer = await askFor(MODEL_INDEX, url, transport, signal);
  if (!answer) throw notOnHub(source);
  const commit = answer.header("x-repo-commit");
  const name = describeSource({ ...source, revision: commit ?? source.revision });
  return { ...openUrl(resolve(commit ?? source.revision), transport, signal), name, commit };
}

/** Any web server: each file is asked for. A page of HTML in place of a file counts as no file. */
export function openUrl(base: string, transport: Transport, signal?: AbortSignal): RemoteFolder {
  return {
    name: showUrl(base),
    find: (path) => probe(path, fileUrl(base, path), transport, signal),
  };
}

/** One file on any web server, under the path that it is given here. */
export function openUrlFile(
  url: string,
  path: string,
  transport: Transport,
  signal?: AbortSignal,
): RemoteFolder {
  return {
    name: showUrl(url),
    find: async (asked) => asked === path ? await probe(path, url, transport, signal) : undefined,
  };
}

function fileUrl(base: string, path: string): string {
  const url = new URL(base);
  url.pathname += path.split("/").map(encodeURIComponent).join("/");
  return url.href;
}

async function probe(
  path: string,
  url: string,
  transport: Transport,
  signal?: AbortSignal,
): Promise<RemoteFile | undefined> {
  const answer = await askFor(path, url, transport, signal);
  return answer && { path, url, ...statedBy(answer) };
}

/** Undefined when the server has no such file: 404, 410, and 403 as object stores answer. */
async function askFor(
  path: string,
  url: string,
  transport: Transport,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const doing = `look for ${path} at ${showUrl(url)}`;
  return await withRetries(transport, { doing, signal }, async () => {
    let answer = await head(url, transport, signal);
    // Servers that know GET only, and addresses signed for it.
    if ([400, 403, 405, 501].includes(answer.response.status)) {
      answer = await firstByte(url, transport, signal);
    }
    const { response } = answer;
    if (response.ok) return isHtml(response) ? undefined : answer;
    if ([403, 404, 410].includes(response.status)) return undefined;
    return retryOrThrow(response, doing);
  });
}

async function head(url: string, transport: Transport, signal?: AbortSignal): Promise<Answer> {
  using watch = new Watchdog(transport, signal);
  const headers = { "accept-encoding": "identity" };
  const sent = send(transport, url, { method: "HEAD", headers, signal: watch.signal });
  return await watch.during(sent);
}

async function firstByte(url: string, transport: Transport, signal?: AbortSignal): Promise<Answer> {
  using watch = new Watchdog(transport, signal);
  const headers = { "accept-encoding": "identity", range: "bytes=0-0" };
  const answer = await watch.during(send(transport, url, { headers, signal: watch.signal }));
  await answer.response.body?.cancel();
  return answer;
}

function isHtml({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/html") ?? false;
}

/** An etag is a SHA-256 only where a hub says so; elsewhere it may be the hash of anything. */
function statedBy({ response, header }: Answer): Pick<RemoteFile, "size" | "sha256"> {
  const range = response.headers.get("content-range");
  const linked = header("x-linked-size");
  const encoded = response.headers.has("content-encoding");
  const size = linked ?? range?.split("/")[1] ?? (encoded ? undefined : contentLength(response));
  const tag = header("x-linked-etag") ?? (header("x-repo-commit") ? header("etag") : undefined);
  return {
    size: size === undefined || size === "*" ? undefined : Number(size),
    sha256: sha256Of(tag),
  };
}

function contentLength({ headers }: Response): string | undefined {
  return headers.get("content-length") ?? undefined;
}

function sha256Of(tag: string | undefined): string | undefined {
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(tag ?? "")?.[1].toLowerCase();
}
