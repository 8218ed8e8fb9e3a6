import { AppError, reason } from "../error.ts";
import { readAtMost } from "../bounded_body.ts";
import { MAX_REFUSAL_BYTES } from "./miner_api.ts";
import { addressOf, PATHS } from "./routes.ts";
import { MAX_INPUTS_BYTES } from "./call_body.ts";
import { fileHash, openingBytes, openingSpec, type Receipt, receiptId } from "../transcript/mod.ts";
import type { OpeningSource } from "../verifier/mod.ts";

/** A miner that says "now" is not asked in a tight loop. */
const MIN_WAIT_MS = 100;

/** A miner over HTTP. Its answers are read up to a known size and within a time, or not at all. */
export interface MinerAddress {
  /** http(s), with a path where the miner is behind one. */
  readonly url: string;
  /** Milliseconds for each answer, to its last byte. */
  readonly timeoutMs: number;
  /** The receipt's opening token, which the miner gave with it. */
  readonly token?: string;
}

/** @throws AppError `invalid_request` when it is no http(s) address. */
export function minerAddress(url: string, timeoutMs: number, token?: string): MinerAddress {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) {
    return { url: url.endsWith("/") ? url : `${url}/`, timeoutMs, token };
  }
  throw new AppError(
    "invalid_request",
    `Cannot verify: the miner's address is ${url}, not an http(s) one`,
  );
}

/**
 * Asks the miner for steps: start, 0, 1, ..., end ({@link PATHS}).
 * Openings throw AppError `opening_withheld` (late, refused, not there) or `opening_invalid` (long).
 * A busy miner that says for how long is asked again within the time.
 */
export function openingsOfMiner(miner: MinerAddress): OpeningSource {
  return async ({ receipt, id, plan }, target) => {
    const max = openingBytes(openingSpec(receipt, plan, target, id));
    const address = addressOf(miner.url, PATHS.step, { id, step: target });
    return await fetchBounded(miner, address, `steps/${target}`, max);
  };
}

/** The image's file. @throws AppError as an opening. */
export function imageOfMiner(
  miner: MinerAddress,
  receipt: Receipt,
  id: string = receiptId(receipt),
): Promise<Uint8Array<ArrayBuffer>> {
  const address = addressOf(miner.url, PATHS.image, { id });
  return fetchBounded(miner, address, "image", receipt.image.bytes);
}

/**
 * A file that the receipt's request names.
 * @throws AppError as an opening, for another file too.
 */
export async function inputOfMiner(
  miner: MinerAddress,
  id: string,
  sha256: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const address = addressOf(miner.url, PATHS.input, { id, sha256 });
  const what = `inputs/${sha256.slice(0, 12)}`;
  const file = await fetchBounded(miner, address, what, MAX_INPUTS_BYTES);
  if (fileHash(file) === sha256) return file;
  throw new AppError("opening_invalid", `Cannot fetch ${what}: another file came in its place`);
}

async function fetchBounded(
  { timeoutMs, token }: MinerAddress,
  address: URL,
  what: string,
  max: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetchPatiently(address, timeoutMs, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
    });
    const bytes = await readAtMost(response, response.ok ? max : MAX_REFUSAL_BYTES);
    if (response.ok) return bytes ?? tooLong(what, max);
    throw new Error(refusalOf(response));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const late = cause instanceof Error && cause.name === "TimeoutError";
    const why = late ? `nothing whole came within ${timeoutMs / 1000} s` : reason(cause);
    throw new AppError("opening_withheld", `Cannot fetch ${what}: ${why}`, { cause });
  }
}

/** By these a miner says that it has not, or not any more, what is asked for. */
const GONE = [403, 404, 410];

/** A token that is no longer the receipt's is refused: the miner was restarted. */
function refusalOf({ status, statusText }: Response): string {
  const answer = `the miner answered ${status} ${statusText}`.trim();
  return GONE.includes(status) ? `the miner no longer has it (${answer})` : answer;
}

/** Asks again when a busy miner says, in seconds, when they will not be; all within the time. */
async function fetchPatiently(
  address: URL,
  timeoutMs: number,
  init: RequestInit,
): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  const end = performance.now() + timeoutMs;
  for (;;) {
    const response = await fetch(address, { ...init, signal });
    const wait = waitOf(response);
    if (wait === undefined || performance.now() + wait >= end) return response;
    await response.body?.cancel();
    await new Promise<void>((resolve) => setTimeout(resolve, wait));
  }
}

/** Milliseconds until a refusal may be over. */
function waitOf({ status, headers }: Response): number | undefined {
  const seconds = headers.get("retry-after") ?? "";
  if (![429, 503].includes(status) || !/^[0-9]{1,6}$/.test(seconds)) return undefined;
  return Math.max(MIN_WAIT_MS, 1000 * Number(seconds));
}

function tooLong(what: string, max: number): never {
  throw new AppError("opening_invalid", `Cannot fetch ${what}: it has more than ${max} bytes`);
}
