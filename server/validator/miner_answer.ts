import { readAtMost } from "../../core/bounded_body.ts";
import { AppError } from "../../core/error.ts";
import { errorFacts, isErrorCode } from "../../core/error_codes.ts";
import { parseJsonText } from "../../core/json_text.ts";
import {
  decodeProgress,
  type GenerationProgress,
  MAX_REFUSAL_BYTES,
} from "../../core/protocol/mod.ts";
import { MAX_RECEIPT_BYTES } from "../../core/transcript/mod.ts";
import { EVENT_STREAM, type EventLimits, readEvents } from "../http/mod.ts";
import { MAX_PREVIEW } from "./preview.ts";

/** A miner that honestly has no room now. */
export class MinerBusy extends AppError {}

/** What a miner answered in place of an image. */
export class Refusal extends Error {
  /** @param said the code of its error, or else its status. */
  constructor(message: string, readonly said: string) {
    super(message);
  }
}

/** A receipt is longer in JSON than in its canonical form by its token and its frame. */
const MAX_ANSWER_BYTES = MAX_RECEIPT_BYTES + 4096;
/** With events of a thousand steps, and a sign of life now and then. */
const EVENT_LIMITS = { event: MAX_ANSWER_BYTES, total: MAX_ANSWER_BYTES + 2 ** 20 };
/** With two previews a second, for a minute. */
const PREVIEW_LIMITS = { event: 2 * MAX_PREVIEW, total: EVENT_LIMITS.total + 2 ** 26 };

/**
 * The JSON of a miner's answer, which comes at once or after events.
 * @param onStep gets the steps that are done, of a miner that says so.
 * @param previews whether it was asked for pictures with them.
 * @throws MinerBusy for an honest 429 or 503; Refusal for another error; Error for what is too long,
 * or no answer at all.
 */
export async function answerOf(
  response: Response,
  onStep?: (progress: GenerationProgress) => void,
  previews = false,
): Promise<unknown> {
  if (!response.ok) {
    const bytes = await readAtMost(response, MAX_REFUSAL_BYTES);
    throw refusal(response.status, errorOf(bytes && parsed(bytes)));
  }
  if (response.headers.get("content-type")?.startsWith(EVENT_STREAM)) {
    return await lastOf(response, previews ? PREVIEW_LIMITS : EVENT_LIMITS, onStep);
  }
  const bytes = await readAtMost(response, MAX_ANSWER_BYTES);
  if (!bytes) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
  return parseJsonText(new TextDecoder().decode(bytes));
}

async function lastOf(
  response: Response,
  limits: EventLimits,
  onStep?: (progress: GenerationProgress) => void,
): Promise<unknown> {
  for await (const { event, json } of readEvents(response, limits)) {
    if (event === "progress") onStep?.(decodeProgress(json));
    if (event === "error") throw refusalIn(json);
    if (event === "done") return json;
  }
  throw new Error("its events ended without an answer");
}

/** An error after the first event has no status of its own, but that of its code. */
function refusalIn(json: unknown): Error {
  const error = errorOf(json);
  return refusal(isErrorCode(error.code) ? errorFacts(error.code).status : 500, error);
}

function refusal(status: number, { code, message }: SaidError): Error {
  const said = `${status} ${message}`.trim();
  if (status === 429 || status === 503) {
    return new MinerBusy("miner_failed", `Cannot ask now: the miner answered ${said}`);
  }
  return new Refusal(`the miner answered ${said}`, code || String(status));
}

interface SaidError {
  readonly code: string;
  readonly message: string;
}

/** What an answer says of itself, as far as it is one of ours. */
function errorOf(json: unknown): SaidError {
  const { error } = (json ?? {}) as { readonly error?: Partial<Record<keyof SaidError, unknown>> };
  const text = (value: unknown, max: number) =>
    value === undefined ? "" : String(value).slice(0, max);
  return { code: text(error?.code, 40), message: text(error?.message, 300) };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJsonText(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
