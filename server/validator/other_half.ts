import { readAtMost } from "../../core/bounded_body.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { AppError, reason } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import {
  addressOf,
  callBody,
  decodeResults,
  decodeResultsCall,
  type InputFiles,
  PATHS,
  signedHeaders,
} from "../../core/protocol/mod.ts";
import { MAX_CLOCK_SKEW_MS } from "../../core/transcript/mod.ts";
import { parseJson, type RequestGuard, type Route, route } from "../http/mod.ts";
import { sha256Of } from "../storage/mod.ts";
import type { Ledger } from "./ledger/mod.ts";

/** A validator that another calls, as a rule the other half of the same one. */
export interface Validated {
  readonly url: string;
  /** SS58 of its hotkey. */
  readonly signedFor: string;
}

const MAX_CALL_BYTES = 1024;
/** Of a kind, in one answer. */
const MAX_RESULTS = 1000;
const MAX_RESULTS_BYTES = 4 * 2 ** 20;
const RESULTS_MS = 30_000;
/** The clocks of the two may be apart; what comes twice counts once. */
const OVERLAP_MS = MAX_CLOCK_SKEW_MS;

/**
 * Calls another validator, signed.
 * @throws AppError `host_unavailable` with what it says.
 */
export async function askValidator(
  { url, signedFor }: Validated,
  { path, call, inputs, max, timeoutMs }: {
    readonly path: typeof PATHS.score | typeof PATHS.results;
    readonly call: unknown;
    /** Files that it is about. */
    readonly inputs?: InputFiles;
    /** Bytes of the answer. */
    readonly max: number;
    readonly timeoutMs: number;
  },
  hotkey: Hotkey,
): Promise<unknown> {
  const { bytes: body, type } = callBody(call, inputs);
  const of = { body, signedFor, now: Date.now(), uuid: crypto.randomUUID() };
  const headers = { ...await signedHeaders(of, hotkey, sha256Of), "content-type": type };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(addressOf(url, path, {}), {
      ...{ method: "POST", body, headers, signal },
      // A signature is for the one that it was made for.
      redirect: "error",
    });
    const bytes = await readAtMost(response, max);
    if (!bytes) throw new Error(`its answer has more than ${max} bytes`);
    const answer = new TextDecoder().decode(bytes);
    if (!response.ok) throw new Error(`it answered ${response.status} ${answer.slice(0, 300)}`);
    return parseJsonText(answer);
  } catch (cause) {
    throw new AppError(
      "host_unavailable",
      `Cannot ask ${url} for ${path.slice(1)}: ${reason(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Where only this validator's own other half reads what was measured here. */
export function resultsRoute(guard: RequestGuard, ledger: Pick<Ledger, "exchange">): Route {
  return route({
    ...{ method: "post", path: PATHS.results, auth: "signed", body: "ResultsCall" },
    summary: "What was measured, for this hotkey's other half alone",
    answer: "Results",
    errors: [400, 401, 403, 408, 413],
    handle: async (context) => {
      const { body } = await guard.take(context.req.raw, MAX_CALL_BYTES, (signedBy) => {
        if (signedBy === guard.self) return;
        throw new AppError("not_allowed", `Cannot give results: ${signedBy} is not this validator`);
      });
      const { since } = decodeResultsCall(parseJson(body));
      return context.json(ledger.exchange.since(since, MAX_RESULTS));
    },
  });
}

/**
 * Takes over what the other half measured.
 * @param since milliseconds since 1970.
 * @returns `since` for the next time.
 * @throws AppError as {@link askValidator}, or `invalid_request`.
 */
export async function pullResults(
  other: Validated,
  ledger: Pick<Ledger, "exchange">,
  hotkey: Hotkey,
  since: number,
): Promise<number> {
  const call = { path: PATHS.results, max: MAX_RESULTS_BYTES, timeoutMs: RESULTS_MS };
  while (true) {
    const results = decodeResults(await askValidator(other, { ...call, call: { since } }, hotkey));
    ledger.exchange.merge(results);
    if (results.next <= since) return since - OVERLAP_MS;
    since = results.next;
  }
}
