import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";
import { isErrorCode } from "../../core/error_codes.ts";
import { parseJsonText } from "../../core/json_text.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import {
  addressOf,
  type CallBody,
  decodeMinerInfo,
  type ErrorAnswer,
  MAX_REFUSAL_BYTES,
  type MinerInfo,
  PATHS,
  signedHeaders,
} from "../../core/protocol/mod.ts";
import { RetryLater } from "../http/mod.ts";
import { sha256Of } from "../storage/mod.ts";

/** An image generator: this miner without the chain, on a host with a GPU. */
export interface Endpoint {
  readonly url: string;
  readonly info: MinerInfo;
  /** Requests that this axon has there. */
  running: number;
  /** Whether it answered when it was asked last. */
  up: boolean;
}

const INFO_MS = 10_000;
const MAX_INFO_BYTES = 64 * 1024;
/** Milliseconds that an answer has, but for one that makes images. */
const FETCH_MS = 30_000;

/** @throws AppError `host_unavailable` for one that is not there, or is another miner's. */
export async function openEndpoint(url: string, { address }: Hotkey): Promise<Endpoint> {
  try {
    const response = await fetch(addressOf(url, PATHS.info, {}), {
      ...{ redirect: "error", signal: AbortSignal.timeout(INFO_MS) },
    });
    const info = decodeMinerInfo(await jsonOf(response, MAX_INFO_BYTES));
    if (info.hotkey !== address) throw new Error(`it signs as ${info.hotkey}, not as ${address}`);
    if (info.models.length === 0) throw new Error("it has no model");
    return { url, info, running: 0, up: true };
  } catch (cause) {
    throw unavailable(url, reason(cause), cause);
  }
}

/** Asks a generator, signed with the hotkey that it shares. */
export async function sendSigned(
  hotkey: Hotkey,
  address: URL,
  method: string,
  { body, headers = {}, signal = AbortSignal.timeout(FETCH_MS) }: {
    readonly body?: CallBody;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Response> {
  const bytes = body?.bytes ?? new Uint8Array();
  const signed = await signedHeaders(
    { body: bytes, signedFor: hotkey.address, now: Date.now(), uuid: crypto.randomUUID() },
    hotkey,
    sha256Of,
  );
  const type = body && { "content-type": body.type };
  return await fetch(address, {
    // A signature and a body are for the one that they were made for.
    ...{ method, signal, redirect: "error", headers: { ...signed, ...type, ...headers } },
    ...(body && { body: bytes }),
  });
}

/** Whether a token opens a receipt there. @throws AppError as it refuses, or {@link notThere}. */
export async function opensAt(endpoint: Endpoint, token: string, id: string): Promise<boolean> {
  const response = await fetch(addressOf(endpoint.url, PATHS.generation, { id }), {
    headers: { authorization: `Bearer ${token}` },
    ...{ redirect: "error", signal: AbortSignal.timeout(FETCH_MS) },
  }).catch((cause) => {
    throw notThere(endpoint, cause);
  });
  if (!response.ok && response.status !== 403) throw await refusalOf(response);
  await response.body?.cancel();
  return response.ok;
}

/** An endpoint that cannot be used. */
export function unavailable(url: string, why: string, cause?: unknown): AppError {
  return new AppError(
    "host_unavailable",
    `Cannot use the image generator at ${url}: ${why}; start it with deno task miner --no-chain`,
    { cause },
  );
}

/** Its receipts may be there again later. */
export function notThere({ url }: Endpoint, cause?: unknown): RetryLater {
  const why = `the image generator at ${url} does not answer`;
  return new RetryLater("not_ready", `Cannot open: ${why}`, 10, { cause });
}

/** A generator's refusal, for its caller. */
export function errorOf(
  { code, message }: { readonly code: unknown; readonly message: unknown },
): AppError {
  const words = String(message);
  // A generator's own mistake, or a code of another version.
  if (!isErrorCode(code)) return new AppError("host_failed", words);
  const later = code === "queue_full" || code === "not_ready" || code === "rate_limited";
  return later ? new RetryLater(code, words, 5) : new AppError(code, words);
}

/** What a generator answered instead. */
export async function refusalOf(response: Response): Promise<Error> {
  try {
    const { error } = await jsonOf(response, MAX_REFUSAL_BYTES) as ErrorAnswer;
    return errorOf(error);
  } catch {
    return new Error(`it answered ${response.status}`);
  }
}

/** @throws Error for an answer that is longer, or not JSON. */
async function jsonOf(response: Response, max: number): Promise<unknown> {
  const bytes = await readAtMost(response, max);
  if (!bytes) throw new Error(`its answer has more than ${max} bytes`);
  return parseJsonText(new TextDecoder().decode(bytes));
}
