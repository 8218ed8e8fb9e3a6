import { z } from "zod";
import { AppError, reason } from "../../../core/error.ts";
import type { ImageFormat } from "../../../core/image/mod.ts";
import { issueSentence, withoutNulls } from "../../../core/json_decoding.ts";
import { type Refinement, refinementFields, refinementOf } from "../../../core/protocol/mod.ts";
import { parseJson, readBody } from "../../http/mod.ts";
import { sha256Of } from "../../storage/mod.ts";

/** Images of one job. */
export const MAX_IMAGES = 10;
/** Bytes of a call with its files, milliseconds that it has, and how many files may come. */
export const MAX_CALL_BYTES = 48 * 2 ** 20;
const CALL_MS = 25_000;
const MAX_FILES = 8;

const call = z.strictObject({
  request: z.record(z.string(), z.unknown()).meta({
    $ref: "#/components/schemas/GenerationRequest",
  }),
  format: z.enum(["png", "jpeg", "webp"]).default("png"),
  /** Called with a POST when the job has ended. */
  webhook: z.url({ protocol: /^https?$/ }).max(2000).optional(),
  ...refinementFields,
});

/** The body of `POST /v1/jobs`, with its files by their SHA-256. */
export interface JobCall {
  readonly request: Readonly<Record<string, unknown>>;
  readonly format: ImageFormat;
  readonly webhook: string | undefined;
  readonly refinement: Refinement | undefined;
  readonly inputs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** As JSON Schema. */
export function jobCallSchema(): unknown {
  return z.toJSONSchema(call, { io: "input" });
}

/**
 * A call as JSON, in which a file is a data URL or the hash of one that was sent before; or as
 * `multipart/form-data`, whose part `request` is that JSON, and whose other parts are files: those named
 * `image` and `mask` are the request's.
 * @throws AppError `json_invalid`, `invalid_request` naming the field.
 */
export async function decodeJobCall(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<JobCall> {
  const files = new Files();
  const json = /^multipart\/form-data/i.test(contentType)
    ? await fromForm(body, contentType, files)
    : parseJson(body);
  const result = call.safeParse(withoutNulls(json));
  if (!result.success) refuse(issueSentence(result.error.issues[0], json));
  const { request, upscale, refine, ...rest } = result.data;
  return {
    ...{ request: withoutFiles(request, files), inputs: files.byHash },
    ...{ format: rest.format, webhook: rest.webhook },
    refinement: refinementOf({ upscale, refine }),
  };
}

/** The body of a call of whatever interface, in its time. @throws AppError `request_too_large`, `request_late`. */
export function readCallBody(call: Request): Promise<Uint8Array<ArrayBuffer>> {
  return readBody(call, MAX_CALL_BYTES, CALL_MS);
}

/** Files that came along, each once. */
class Files {
  readonly byHash = new Map<string, Uint8Array<ArrayBuffer>>();

  /** @returns its SHA-256 in hex. */
  add(bytes: Uint8Array<ArrayBuffer>): string {
    const hash = sha256Of(bytes);
    this.byHash.set(hash, bytes);
    if (this.byHash.size > MAX_FILES) refuse(`it has more than ${MAX_FILES} files`);
    return hash;
  }
}

async function fromForm(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  files: Files,
): Promise<unknown> {
  const form = await formOf(body, contentType);
  const text = form.get("request");
  const bytes = text instanceof File ? await text.bytes() : new TextEncoder().encode(text ?? "");
  const json = parseJson(bytes);
  const named: Record<string, string> = {};
  for (const [name, part] of form) {
    if (!(part instanceof File) || name === "request") continue;
    const hash = files.add(await part.bytes());
    if (name === "image" || name === "mask") named[name] = hash;
  }
  const { request, ...rest } = Object(json);
  return { ...rest, request: { ...named, ...Object(request) } };
}

/** @throws AppError `invalid_request` for what is no form. */
async function formOf(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<FormData> {
  try {
    return await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch (cause) {
    return refuse(`it is no multipart/form-data (${reason(cause)})`);
  }
}

/** Prompts may say what they want; every other text that is a data URL is a file. */
function withoutFiles(
  request: Readonly<Record<string, unknown>>,
  files: Files,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(request).map(([name, value]) =>
      /prompt/i.test(name) ? [name, value] : [name, hashed(value, name, files)]
    ),
  );
}

function hashed(value: unknown, name: string, files: Files): unknown {
  if (typeof value === "string") {
    return value.startsWith("data:") ? files.add(bytesOfDataUrl(value, name)) : value;
  }
  if (Array.isArray(value)) return value.map((item) => hashed(item, name, files));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, hashed(item, name, files)]),
  );
}

/** @throws AppError `invalid_request` naming the field. */
function bytesOfDataUrl(url: string, name: string): Uint8Array<ArrayBuffer> {
  const base64 = /^data:[^,]{0,100};base64,/.exec(url);
  if (!base64) return refuse(`${name} is a data URL that is not in base64`);
  try {
    return Uint8Array.fromBase64(url.slice(base64[0].length));
  } catch (cause) {
    return refuse(`${name} is not base64 (${reason(cause)})`);
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot take the job: ${why}`);
}
