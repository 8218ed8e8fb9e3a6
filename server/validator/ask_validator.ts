import { readAtMost } from "../../core/bounded_body.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { AppError, reason } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import {
  addressOf,
  callBody,
  type InputFiles,
  type PATHS,
  signedHeaders,
} from "../../core/protocol/mod.ts";
import { sha256Of } from "../storage/mod.ts";

/** A validator that another calls. */
export interface Validated {
  readonly url: string;
  /** SS58 of its hotkey. */
  readonly signedFor: string;
}

/**
 * Calls another validator, signed.
 * @throws AppError `host_unavailable` with what it says.
 */
export async function askValidator(
  { url, signedFor }: Validated,
  { path, call, inputs, max, timeoutMs }: {
    readonly path: typeof PATHS.score;
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
      { cause },
    );
  }
}
