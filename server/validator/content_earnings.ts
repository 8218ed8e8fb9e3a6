import { z } from "zod";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";
import type { CreatorShare } from "../../core/incentive/mod.ts";

const TIMEOUT_MS = 20_000;
/** Of as many creators as are read, each with the longest name and its share. */
const MAX_BYTES = 32 * 2 ** 20;
/** Milliseconds for which what was read last stands in for a server that cannot be reached. */
const STANDS_MS = 24 * 3600 * 1000;

const earningsSchema = z.looseObject({
  creators: z.array(z.looseObject({
    creator: z.string().min(1).max(200),
    share: z.number().min(0),
  })).max(100_000),
});

/**
 * Reads what creators earned of a content server, `GET /v1/content/earnings`. While it cannot be reached,
 * what it said within the last day counts on: an outage takes nobody's weight.
 * @param url of the server.
 */
export function contentEarnings(
  url: string,
  now: () => number = Date.now,
): () => Promise<readonly CreatorShare[]> {
  const address = `${url.replace(/\/*$/, "")}/v1/content/earnings`;
  let known: { readonly at: number; readonly shares: readonly CreatorShare[] } | undefined;
  return async () => {
    try {
      known = { at: now(), shares: await earningsAt(address) };
    } catch (cause) {
      if (known && now() - known.at < STANDS_MS) return known.shares;
      const why = reason(cause);
      throw new AppError("download_failed", `Cannot read ${address}: ${why}`, { cause });
    }
    return known.shares;
  };
}

async function earningsAt(address: string): Promise<readonly CreatorShare[]> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(address, { redirect: "error", signal });
  const body = await readAtMost(response, MAX_BYTES, signal);
  if (!response.ok || !body) throw new Error(`it answered ${response.status}`);
  return earningsSchema.parse(JSON.parse(new TextDecoder().decode(body))).creators;
}
