import type { Context, MiddlewareHandler } from "hono";
import { PATHS } from "../../../core/protocol/mod.ts";
import { decodeRequest, type GenerationRequest, randomSeed } from "../../../core/request/mod.ts";
import { MAX_REQUEST_BYTES } from "../../../core/request_limits.ts";
import { EVENT_STREAM, parseJson, readBody, type Route, route } from "../../http/mod.ts";
import { sizeOfSource } from "../../sources/mod.ts";
import { endOf, type GatewayParts, Links, onceOf, readCallBody, takeOrder } from "../routes/mod.ts";
import { sha256Of } from "../../storage/mod.ts";
import { type ApiKey, imagesOfBatch } from "../store/mod.ts";
import { decodeEditCall, type EditCall } from "./edit_call.ts";
import { type EditFiles, editFiles } from "./edit_files.ts";
import { answerOf, streamOf } from "./image_answer.ts";
import { decodeOpenAiCall, type OpenAiCall } from "./image_call.ts";
import { OpenAiError, openAiResponse } from "./openai_error.ts";
import { atNearestSize, parseSize } from "./sizes.ts";

/** Names by which clients ask for whatever makes images. */
const OTHER_NAMES = /^(gpt-image|chatgpt-image|dall-e)/;

type Handle = (context: Context, owner: ApiKey) => Response | Promise<Response>;

/**
 * Images as OpenAI's clients ask for them.
 * @param before what every request passes first. @param failed is called with our own mistakes.
 */
export function openAiRoutes(
  parts: GatewayParts,
  before: readonly MiddlewareHandler[],
  failed: (error: unknown) => void,
): Route[] {
  const common = { auth: "bearer" as const, before, errors: [400, 401, 403, 404, 413, 429, 503] };
  const handled = (handle: Handle) => async (context: Context) => {
    try {
      return await handle(context, admit(context, parts));
    } catch (error) {
      return openAiResponse(error, failed);
    }
  };
  return [
    route({
      ...{ ...common, method: "post", path: PATHS.openAiImages, body: "OpenAiCall" },
      ...{ answer: "OpenAiImages", preferred: [EVENT_STREAM] },
      summary: "OpenAI's images: generations. Other sizes than the model's become the nearest",
      handle: handled(async (context, owner) => {
        const body = await readBody(context.req.raw, MAX_REQUEST_BYTES);
        const call = decodeOpenAiCall(parseJson(body));
        return await draw(context, parts, owner, call);
      }),
    }),
    route({
      ...{ ...common, method: "post", path: PATHS.openAiEdits, body: "OpenAiCall" },
      ...{ answer: "OpenAiImages", preferred: [EVENT_STREAM] },
      summary:
        "OpenAI's images: edits, as JSON or a form; what the mask leaves clear is drawn anew",
      handle: handled(async (context, owner) => {
        using _ = parts.bodies.take(owner.id, context.req.header("content-length"));
        const body = await readCallBody(context.req.raw);
        const type = context.req.header("content-type") ?? "";
        const { json, ...given } = decodeEditCall(body, type);
        const call = decodeOpenAiCall(json);
        return await draw(context, parts, owner, call, given);
      }),
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.openAiModels, answer: "OpenAiModels" },
      summary: "OpenAI's models: the one that is served",
      handle: handled((context) =>
        context.json({ object: "list", data: [modelJson(parts.model.id)] })
      ),
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.openAiModel, answer: "OpenAiModel" },
      summary: "OpenAI's models: one by its name",
      handle: handled((context) => {
        checkModel(context.req.param("id"), parts);
        return context.json(modelJson(parts.model.id));
      }),
    }),
  ];
}

/** Of the answers that are OpenAI's. */
export const OPENAI_SCHEMAS = {
  OpenAiImages: { type: "object" },
  OpenAiModels: { type: "object" },
  OpenAiModel: { type: "object" },
} as const;

async function draw(
  context: Context,
  parts: GatewayParts,
  owner: ApiKey,
  call: OpenAiCall,
  given?: Pick<EditCall, "image" | "mask">,
): Promise<Response> {
  checkModel(call.model, parts);
  const { output_format: format } = call;
  const requests = imagesOfBatch(await requestOf(call, parts));
  const ready = given && (async () => {
    const files = await editFiles(given, owner.id, parts.pictures);
    return { requests: imagesOfBatch(await requestOf(call, parts, files)), inputs: files.inputs };
  });
  const once = onceOf(context.req.header("idempotency-key"), { call, ...hashesOf(given) });
  const job = await takeOrder(parts, { owner, requests, format, once, ready });
  context.header("x-request-id", job.id);
  const what = given ? "image_edit" : "image_generation";
  const links = new Links(parts.store.secret, parts.store.now);
  const asked = {
    call,
    what,
    urlOf: (n: number) => new URL(links.to(job.id, n), baseOf(context)).href,
  };
  if (call.stream) return streamOf(context, job, parts, asked);
  const ended = await endOf(parts, job, context.req.raw.signal);
  return context.json(await answerOf(ended, parts, asked));
}

function hashesOf(given: Partial<Pick<EditCall, "image" | "mask">> = {}) {
  const { image, mask } = given;
  return { image: image && sha256Of(image), mask: mask && sha256Of(mask) };
}

async function requestOf(
  call: OpenAiCall,
  { model }: GatewayParts,
  files?: EditFiles,
): Promise<GenerationRequest> {
  const { prompt, n: batch, negative_prompt: negativePrompt, seed, steps, strength } = call;
  const asked = parseSize(call.size);
  const nothing = { width: undefined, height: undefined };
  const sources = files ? { image: { sha256: files.fields.image, pixels: files.pixels } } : {};
  const side = (pixels: number) => Math.round(pixels / 8) * 8 || 8;
  const size = asked && { width: side(asked.width), height: side(asked.height) };
  const request = decodeRequest({
    ...{ prompt, batch, negativePrompt, seed, steps, guidanceScale: call.guidance_scale },
    ...(files && { ...files.fields, strength }),
    ...(size ?? sizeOfSource(sources, nothing, model.defaults)),
  }, { ...model.defaults, seed: randomSeed() });
  return await atNearestSize(request, model);
}

/** @throws OpenAiError 401 for a key that is not taken, as OpenAI has it. */
function admit({ req }: Context, { keys }: GatewayParts): ApiKey {
  try {
    return keys.admit(req.header("authorization"));
  } catch {
    throw new OpenAiError(
      "invalid_api_key",
      401,
      "Cannot generate: the API key is missing, or not one of this validator's",
    );
  }
}

/** @throws OpenAiError 404 for a model that is not served. */
function checkModel(name: string | undefined, { model }: GatewayParts): void {
  if (name === undefined || name === model.id || OTHER_NAMES.test(name)) return;
  throw new OpenAiError(
    "model_not_found",
    404,
    `Cannot generate: model is ${name.slice(0, 80)}, and ${model.id} is served`,
    "model",
  );
}

function modelJson(id: string): Record<string, unknown> {
  return { id, object: "model", created: 0, owned_by: "stepwise" };
}

/** Where the caller reached this server; a proxy before it says by which scheme. */
function baseOf({ req }: Context): URL {
  const url = new URL(req.url);
  if (req.header("x-forwarded-proto") === "https") url.protocol = "https:";
  return url;
}
