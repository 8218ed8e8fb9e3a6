import { readAtMost } from "../../../core/bounded_body.ts";
import { parseJsonText } from "../../../core/json_text.ts";
import { AppError, reason } from "../../../core/error.ts";

export type Json = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 20_000;

/** A request to an untrusted server, and how much of the answer is read. */
export interface Question {
  /** For the sentence: "the miner". */
  readonly whom: string;
  readonly url: URL;
  readonly maxBytes: number;
  readonly init?: Pick<RequestInit, "method" | "headers" | "body">;
  /** Statuses that say that it does not have, or no longer has, what is asked for. */
  readonly goneStatuses?: readonly number[];
}

/**
 * JSON of an untrusted server: within a time and a size, without cookies or redirects.
 * @throws AppError `opening_withheld`, with the server's words where it refused.
 */
export async function fetchJson(
  { whom, url, maxBytes, init, goneStatuses }: Question,
): Promise<unknown> {
  try {
    const response = await fetch(url, {
      ...init,
      ...{ redirect: "error", credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) },
    });
    const type = response.headers.get("content-type") ?? "nothing";
    if (!/^application\/json\b/.test(type)) throw new Error(`it answered with ${type}, not JSON`);
    const bytes = await readAtMost(response, maxBytes);
    if (!bytes) throw new Error("its answer is too long");
    const json: unknown = parseJsonText(new TextDecoder().decode(bytes));
    if (!response.ok && goneStatuses?.includes(response.status)) throw new NoLongerThere(whom);
    if (!response.ok) throw new Error(`it answered ${response.status}: ${wordsOf(json)}`);
    return json;
  } catch (cause) {
    const late = cause instanceof Error && cause.name === "TimeoutError";
    const why = late ? `no answer within ${TIMEOUT_MS / 1000} s` : reason(cause);
    const advice = cause instanceof TypeError ? adviceFor(url) : "";
    throw new AppError("opening_withheld", `Cannot ask ${whom} at ${url.origin}: ${why}${advice}`, {
      cause,
    });
  }
}

/** What was asked for is no longer there. */
class NoLongerThere extends Error {
  constructor(whom: string) {
    super(`${whom} no longer has it; most keep the steps of an image for 15 minutes`);
  }
}

/** For a connection that failed, of which browsers say no more. */
function adviceFor({ host, pathname, protocol }: URL): string {
  if (protocol !== "https:" || self.location.protocol !== "https:") return "";
  const folder = pathname.replace(/v1\/.*$/, "");
  return `. If it has no https, open its own page, http://${host}${folder}, which may ask it`;
}

/** Of an error's answer, which may be anything. */
function wordsOf(json: unknown): string {
  const { error } = (json ?? {}) as { readonly error?: { readonly message?: unknown } };
  return typeof error?.message === "string" ? error.message.slice(0, 500) : "no reason was given";
}

/** For reading fields of what may be anything. */
export function objectOf(value: unknown): Json {
  return Object(value);
}
