import { z } from "zod";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError } from "../../core/error.ts";
import type { MessageBody } from "./messages.ts";

/** Milliseconds of one call. */
const CALL_MS = 30_000;
/** Bytes of an answer that are read. */
const MAX_ANSWER = 64 * 1024;
/** Calls until one is given up: of those that came too often, or before Discord had our answer. */
const TRIES = 6;
/** Milliseconds until Discord has the answer to the interaction, which a first edit may overtake. */
const OVERTAKEN_MS = 500;
/** Seconds to wait where Discord does not say how long. */
const PAUSE_S = 5;
/** As Discord asks every client to name itself. */
const USER_AGENT = "DiscordBot (stepwise, 1)";
const limited = z.object({ retry_after: z.number().nonnegative() });

/** A file that goes along with a message. */
export interface MessageFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Call {
  readonly method: "PATCH" | "POST" | "DELETE" | "PUT";
  /** Below the API's address. It may hold a token, and is never named in an error. */
  readonly path: string;
  /** For errors. */
  readonly doing: string;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether a refusal is not worth another try. */
  readonly once?: boolean;
}

interface RestOptions {
  /** Such as `https://discord.com/api/v10`. */
  readonly api: string;
  readonly application: string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** What of Discord's REST a bot without a gateway connection needs. */
export class DiscordRest {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** Changes the answer to an interaction. @param once of previews, of which the next one is as good. */
  async edit(
    token: string,
    message: MessageBody,
    files: readonly MessageFile[] = [],
    { once, signal }: { readonly once?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const attachments = files.map(({ name }, id) => ({ id, filename: name }));
    const body = files.length === 0
      ? JSON.stringify(message)
      : formOf({ ...message, attachments }, files);
    await this.#call({
      ...{ method: "PATCH", path: `${this.#webhook(token)}/messages/@original`, once, signal },
      ...{ doing: "change the answer", body, headers: jsonType(body) },
    });
  }

  /** Takes the answer back, and says something to who asked alone: an answer cannot become private. */
  async whisperInstead(token: string, message: MessageBody): Promise<void> {
    const path = this.#webhook(token);
    await this.#call({
      ...{ method: "DELETE", path: `${path}/messages/@original`, doing: "take the answer back" },
    });
    const body = JSON.stringify(message);
    const headers = jsonType(body);
    await this.#call({ method: "POST", path, doing: "say why", body, headers });
  }

  /** Replaces the application's commands. @param guild of one server alone, where they are known at once. */
  async register(botToken: string, commands: readonly unknown[], guild?: string): Promise<void> {
    const place = guild === undefined ? "" : `/guilds/${guild}`;
    const body = JSON.stringify(commands);
    await this.#call({
      ...{ method: "PUT", path: `/applications/${this.#options.application}${place}/commands` },
      ...{ doing: "register the commands", body },
      headers: { ...jsonType(body), authorization: `Bot ${botToken}` },
    });
  }

  #webhook(token: string): string {
    return `/webhooks/${this.#options.application}/${token}`;
  }

  /** @throws AppError `host_failed` without the address. */
  async #call(call: Call): Promise<void> {
    for (let tries = 1;; tries++) {
      const { response, text } = await this.#sent(call);
      if (response.ok) return;
      const waitMs = waitOf(response, text, call);
      if (waitMs === undefined || call.once || tries === TRIES) {
        throw unable(call, `it answered ${response.status}${codeOf(text)}`);
      }
      await this.#options.sleep(waitMs, call.signal);
    }
  }

  async #sent({ method, path, body, headers, signal, doing }: Call) {
    const limit = AbortSignal.timeout(CALL_MS);
    try {
      const response = await fetch(`${this.#options.api}${path}`, {
        ...{ method, body, redirect: "error", headers: { ...headers, "user-agent": USER_AGENT } },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const text = new TextDecoder().decode(await readAtMost(response, MAX_ANSWER));
      return { response, text };
    } catch {
      // The reason names the address, and with it the token.
      throw unable({ doing }, signal?.aborted ? "it was cancelled" : "it cannot be reached");
    }
  }
}

function formOf(message: unknown, files: readonly MessageFile[]): FormData {
  const form = new FormData();
  form.set("payload_json", JSON.stringify(message));
  for (const [k, { name, type, bytes }] of files.entries()) {
    form.set(`files[${k}]`, new Blob([bytes], { type }), name);
  }
  return form;
}

/** A form's type has a boundary, which `fetch` writes. */
function jsonType(body: BodyInit): Record<string, string> {
  return typeof body === "string" ? { "content-type": "application/json" } : {};
}

/** Milliseconds until the call is worth another try; undefined where it never is. */
function waitOf({ status, headers }: Response, text: string, { method }: Call): number | undefined {
  if (status === 429) return 1000 * secondsOf(text, headers);
  if (status >= 500) return 1000 * PAUSE_S;
  return status === 404 && method === "PATCH" ? OVERTAKEN_MS : undefined;
}

/** @see https://discord.com/developers/docs/topics/rate-limits */
function secondsOf(text: string, headers: Headers): number {
  const said = limited.safeParse(parsed(text));
  if (said.success) return said.data.retry_after;
  const header = Number(headers.get("retry-after") ?? NaN);
  return header >= 0 ? header : PAUSE_S;
}

/** Discord's own number of an error, which its documentation lists. */
function codeOf(text: string): string {
  const said = z.object({ code: z.int() }).safeParse(parsed(text));
  return said.success ? ` (code ${said.data.code})` : "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unable({ doing }: Pick<Call, "doing">, why: string): AppError {
  return new AppError("host_failed", `Cannot ${doing} at Discord: ${why}`);
}
