import { z } from "zod";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";

const TIMEOUT_MS = 20_000;
/** Of an answer in JSON, which may list 100 accounts with all that they say, and of a picture. */
const [MAX_JSON, MAX_IMAGE] = [16 * 2 ** 20, 32 * 2 ** 20];
/** Seconds to wait where a network does not say how long, and at most. */
const [PAUSE_S, MAX_PAUSE_S] = [300, 3600];

/** A network's answer: its JSON, and where its next page is by the `Link` header. */
export interface Page<T> {
  readonly body: T;
  readonly next: string | undefined;
}

/** A list that strangers' accounts are in: what one of them makes unreadable is left out alone. */
export function eachGood<T>(schema: z.ZodType<T>, max: number) {
  return z.array(z.unknown()).max(max).transform((list) =>
    list.flatMap((each) => {
      const read = schema.safeParse(each);
      return read.success ? [read.data] : [];
    })
  );
}

/**
 * JSON of a public address.
 * @param none statuses that mean that there is nothing, or no more.
 * @returns undefined for those.
 * @throws AppError `download_failed` for another answer or an outage; RetryLater for 429, or no answer in time.
 */
export async function readPage<T>(
  url: string,
  schema: z.ZodType<T>,
  none: readonly number[] = [404, 410],
): Promise<Page<T> | undefined> {
  const response = await asked(url);
  if (none.includes(response.status)) {
    await response.body?.cancel();
    return undefined;
  }
  const body = await bodyOf(response, url, MAX_JSON);
  try {
    const json = schema.parse(JSON.parse(new TextDecoder().decode(body)));
    return { body: json, next: nextOf(response.headers.get("link"), url) };
  } catch (cause) {
    throw unreadable(url, "its answer is not of the form that it documents", cause);
  }
}

/** A picture's file. */
export async function readImage(url: string): Promise<Uint8Array<ArrayBuffer>> {
  return await bodyOf(await asked(url), url, MAX_IMAGE);
}

async function asked(url: string): Promise<Response> {
  try {
    // A redirect may lead anywhere, also behind this machine's walls.
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(url, { redirect: "error", signal, headers: { accept: "*/*" } });
  } catch (cause) {
    throw unreadable(url, reason(cause), cause);
  }
}

async function bodyOf(response: Response, url: string, max: number) {
  if (response.status === 429) {
    await response.body?.cancel();
    const seconds = pauseOf(response.headers, Date.now());
    const host = new URL(url).host;
    throw new RetryLater("rate_limited", `Cannot read ${host}: it takes no more calls`, seconds);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw unreadable(url, `it answered ${response.status}`);
  }
  try {
    const body = await readAtMost(response, max);
    if (body) return body;
  } catch (cause) {
    throw unreadable(url, reason(cause), cause);
  }
  throw unreadable(url, `its answer is longer than ${max} bytes`);
}

/**
 * Seconds until a network takes calls again. Bluesky says when as seconds since 1970
 * (`ratelimit-reset`), Mastodon as a date (`x-ratelimit-reset`), others by `retry-after`.
 */
function pauseOf(headers: Headers, now: number): number {
  const after = Number(headers.get("retry-after") ?? NaN);
  const until = headers.get("ratelimit-reset");
  const date = headers.get("x-ratelimit-reset");
  const reset = until ? 1000 * Number(until) : date ? Date.parse(date) : NaN;
  const seconds = Number.isFinite(after) ? after : (reset - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), MAX_PAUSE_S) : PAUSE_S;
}

/** RFC 8288, on the same server alone. */
function nextOf(link: string | null, url: string): string | undefined {
  const next = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (next === undefined || !URL.canParse(next, url)) return undefined;
  const address = new URL(next, url);
  return address.origin === new URL(url).origin ? address.href : undefined;
}

/** A server that lets its callers wait would hold up all others: it is left alone for a while. */
function unreadable(url: string, why: string, cause?: unknown): AppError {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    const message = `Cannot read ${new URL(url).host}: it does not answer in ${
      TIMEOUT_MS / 1000
    } s`;
    return new RetryLater("download_failed", message, PAUSE_S, { cause });
  }
  return new AppError("download_failed", `Cannot read ${new URL(url).host}: ${why}`, { cause });
}
