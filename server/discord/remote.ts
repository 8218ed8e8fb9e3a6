import { z } from "zod";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError } from "../../core/error.ts";
import { isErrorCode } from "../../core/error_codes.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { RetryLater } from "../http/mod.ts";

/** Milliseconds of a call. */
const CALL_MS = 30_000;
/** Bytes of a refusal. */
const MAX_REFUSAL = 64 * 1024;
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** A server of ours over HTTP. */
export interface Remote {
  /** Where it is, with a path where it is behind one. */
  readonly url: string;
  /** An API key, where one is needed. */
  readonly key?: string;
  /** For errors, such as "the image service". */
  readonly name: string;
}

export interface RemoteCall {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds; default: of one answer. */
  readonly withinMs?: number;
}

/**
 * An answer that is one.
 * @throws AppError with the server's code and message; RetryLater where it says when; `host_failed`
 * where it cannot be reached, or does not take this bot's key.
 */
export async function ask(
  { url, key, name }: Remote,
  path: string,
  { method = "GET", json, headers, signal, withinMs = CALL_MS }: RemoteCall = {},
): Promise<Response> {
  const limits = [AbortSignal.timeout(withinMs), ...(signal ? [signal] : [])];
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
      ...{ method, redirect: "error", signal: AbortSignal.any(limits) },
      body: json === undefined ? undefined : JSON.stringify(json),
      headers: {
        ...(json !== undefined && { "content-type": "application/json" }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...headers,
      },
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new AppError("host_failed", `Cannot ask ${name}: it cannot be reached just now`, {
      cause,
    });
  }
  if (response.ok) return response;
  throw await refusalOf(response, name);
}

/** @throws AppError `host_failed` for what is not of that form. */
export async function askJson<T>(
  remote: Remote,
  path: string,
  schema: z.ZodType<T>,
  max: number,
  call?: RemoteCall,
): Promise<T> {
  const bytes = await askBytes(remote, path, max, call);
  try {
    return schema.parse(parseJsonText(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new AppError("host_failed", `Cannot read ${remote.name}: its answer is another`, {
      cause,
    });
  }
}

export async function askBytes(
  remote: Remote,
  path: string,
  max: number,
  call?: RemoteCall,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readAtMost(await ask(remote, path, call), max, call?.signal);
  if (bytes) return bytes;
  throw new AppError("host_failed", `Cannot read ${remote.name}: its answer is too long`);
}

async function refusalOf(response: Response, name: string): Promise<AppError> {
  const { status, headers } = response;
  if (status === 401 || status === 403) {
    await response.body?.cancel();
    const why = "it does not take this bot's key; tell whoever runs the bot";
    return new AppError("host_failed", `Cannot ask ${name}: ${why}`);
  }
  const text = new TextDecoder().decode(await readAtMost(response, MAX_REFUSAL));
  const said = refusal.safeParse(parsed(text)).data?.error;
  const code = isErrorCode(said?.code) ? said.code : "host_failed";
  const message = said?.message ?? `Cannot ask ${name}: it answered ${status}`;
  const after = Number(headers.get("retry-after") ?? NaN);
  return after >= 0 ? new RetryLater(code, message, after) : new AppError(code, message);
}

function parsed(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}
