import { AppError, reason } from "../error.ts";
import { readAtMost } from "../protocol/mod.ts";
import { openingBytes, openingSpec, type Receipt, receiptId } from "../transcript/mod.ts";
import type { OpeningSource } from "./opening_source.ts";

const MAX_REFUSAL_BYTES = 64 * 1024;

/** A miner over HTTP. What he sends is read to a known size and within a time, or not at all. */
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
  throw new AppError("invalid_request", `Cannot verify: --from is ${url}, not an http(s) address`);
}

/**
 * Asks the miner: `GET v1/generations/{receipt id}/steps/{start, 0, 1, ..., end}`.
 * Openings throw AppError `opening_withheld` (late, refused, not there) or `opening_invalid` (long).
 */
export function openingsOfMiner(miner: MinerAddress): OpeningSource {
  return async ({ receipt, plan }, target) => {
    const most = openingBytes(openingSpec(receipt, plan, target));
    return await fetchBounded(miner, receipt, `steps/${target}`, most);
  };
}

/** `GET v1/generations/{receipt id}/image`. @throws AppError as an opening. */
export function imageOfMiner(
  miner: MinerAddress,
  receipt: Receipt,
): Promise<Uint8Array<ArrayBuffer>> {
  return fetchBounded(miner, receipt, "image", receipt.image.bytes);
}

async function fetchBounded(
  { url, timeoutMs, token }: MinerAddress,
  receipt: Receipt,
  path: string,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(new URL(`v1/generations/${receiptId(receipt)}/${path}`, url), {
      signal,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
    });
    const bytes = await readAtMost(response, response.ok ? most : MAX_REFUSAL_BYTES);
    if (response.ok) return bytes ?? tooLong(path, most);
    throw new Error(`the miner answered ${response.status} ${response.statusText}`.trim());
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const late = cause instanceof Error && cause.name === "TimeoutError";
    const why = late ? `nothing whole came within ${timeoutMs / 1000} s` : reason(cause);
    throw new AppError("opening_withheld", `Cannot fetch ${path}: ${why}`, { cause });
  }
}

function tooLong(path: string, most: number): never {
  throw new AppError("opening_invalid", `Cannot fetch ${path}: it has more than ${most} bytes`);
}
