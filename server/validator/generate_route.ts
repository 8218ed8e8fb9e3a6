import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { AppError } from "../../core/error.ts";
import type { ImageCodec, ImageFormat } from "../../core/image/mod.ts";
import {
  decodeImageCall,
  type ImageCall,
  type ImageForUser,
  PATHS,
} from "../../core/protocol/mod.ts";
import {
  decodeRequest,
  type GenerationRequest,
  randomSeed,
  type RequestDefaults,
} from "../../core/request/mod.ts";
import { MAX_REQUEST_BYTES } from "../../core/request_limits.ts";
import {
  parseJson,
  RateLimit,
  readBody,
  type RequestGuard,
  type Route,
  route,
} from "../http/mod.ts";
import type { ApiKeys } from "./api_keys.ts";
import type { Forwarded, Forwarder } from "./forwarder.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import { watermarkFile } from "./watermark.ts";

/** What serving users needs of its validator. */
export interface GenerateParts {
  readonly forwarder: Pick<Forwarder, "generate">;
  readonly keys: ApiKeys;
  /** Throws for hotkeys that may not ask. */
  readonly allowed: (signedBy: string) => void;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
  /** Marks images that callers want marked. */
  readonly codec: ImageCodec;
  /** A minute, of each caller. */
  readonly requestsPerMinute: number;
}

const JSON_TYPE = "application/json";
/** The first is what `image/*` gets. */
const IMAGE_FORMATS: readonly ImageFormat[] = ["png", "jpeg", "webp"];

/** Where users ask for images. */
export function generateRoute(
  guard: RequestGuard,
  parts: GenerateParts,
  metrics: ValidatorMetrics,
): Route {
  const limit = new RateLimit("generate", parts.requestsPerMinute, 60_000);
  return route({
    ...{ method: "post", path: PATHS.generate, auth: "signed or bearer", body: "ImageCall" },
    summary: "An image of a miner; the bearer is an API key. With Accept: image/* the file alone",
    answer: "ImageForUser",
    preferred: IMAGE_FORMATS.map((format) => `image/${format}`),
    errors: [400, 401, 403, 408, 409, 413, 429, 503],
    handle: async (context) => {
      const { who, body } = await admit(context.req.raw, guard, parts);
      return await counted(metrics, async () => {
        limit.take(who);
        return await serve(context, decodeImageCall(parseJson(body)), parts);
      });
    },
  });
}

async function counted(
  metrics: ValidatorMetrics,
  work: () => Promise<Response>,
): Promise<Response> {
  const started = performance.now();
  const count = (outcome: string) =>
    metrics.requested(outcome, (performance.now() - started) / 1000);
  try {
    const answer = await work();
    count("served");
    return answer;
  } catch (error) {
    count(error instanceof AppError ? error.code : "internal");
    throw error;
  }
}

/** With JSON, or with the file alone if the caller prefers an image. */
async function serve(
  context: Context,
  call: ImageCall,
  { forwarder, defaults, checkRequest, codec }: GenerateParts,
): Promise<Response> {
  const preferred = preferredImage(context);
  const format = call.format ?? preferred ?? "png";
  const request = requestOf(call, defaults);
  // What no miner of this model can make is no miner's failure.
  checkRequest(request);
  const forwarded = await forwarder.generate(request, format, context.req.raw.signal);
  const { image, answer: { id } } = forwarded;
  const file = call.watermark ? await watermarkFile(image, format, request, codec) : image;
  if (!preferred) return context.json(answerOf(forwarded, file, format, call.watermark));
  return context.body(file, 200, { "content-type": `image/${format}`, "stepwise-receipt": id });
}

/** @returns undefined for who prefers JSON, or does not say. */
function preferredImage(context: Context): ImageFormat | undefined {
  const supports = [JSON_TYPE, ...IMAGE_FORMATS.map((format) => `image/${format}`)];
  const type = accepts(context, { header: "Accept", supports, default: JSON_TYPE });
  return IMAGE_FORMATS.find((format) => type === `image/${format}`);
}

/** By API key, or by an allowed hotkey's signature. */
async function admit(
  request: Request,
  guard: RequestGuard,
  { keys, allowed }: Pick<GenerateParts, "keys" | "allowed">,
): Promise<{ readonly who: string; readonly body: Uint8Array }> {
  const authorization = request.headers.get("authorization");
  if (authorization === null) {
    if (!request.headers.has("epistula-version")) {
      throw new AppError(
        "request_unsigned",
        "Cannot generate: there is no API key (authorization: Bearer ...), nor a signature",
      );
    }
    const { signedBy, body } = await guard.take(request, MAX_REQUEST_BYTES, allowed);
    return { who: signedBy, body };
  }
  const who = keys.find(authorization);
  if (who === undefined) {
    throw new AppError(
      "not_allowed",
      "Cannot generate: the API key is not one of this validator's",
    );
  }
  return { who, body: await readBody(request, MAX_REQUEST_BYTES) };
}

/** One image, of a seed that the asker or chance chose. */
function requestOf(
  { request }: ImageCall,
  defaults: GenerateParts["defaults"],
): GenerationRequest {
  const decoded = decodeRequest(request, { ...defaults, seed: randomSeed() });
  if (decoded.batch === 1) return decoded;
  throw new AppError(
    "invalid_request",
    `Cannot generate: batch is ${decoded.batch}, and a request is for one image`,
  );
}

function answerOf(
  { peer, answer, verdict }: Forwarded,
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  watermarked: boolean,
): ImageForUser {
  return {
    id: answer.id,
    receipt: answer.receipt,
    image: file.toBase64(),
    mediaType: `image/${format}`,
    watermarked,
    miner: peer,
    token: answer.token,
    verdict: verdict ?? null,
    notices: [],
  };
}
