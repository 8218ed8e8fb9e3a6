import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import type { ImageCodec, ImageFormat } from "../../core/image/mod.ts";
import { decodeSources, sizeOfSource } from "../../core/generation/mod.ts";
import {
  decodeImageCall,
  type ImageCall,
  type ImageForUser,
  type InputFiles,
  PATHS,
  type Refinement,
} from "../../core/protocol/mod.ts";
import {
  completeRequest,
  decodeDraft,
  type GenerationRequest,
  randomSeed,
  type RequestDefaults,
  type RequestDraft,
} from "../../core/request/mod.ts";
import {
  EVENT_STREAM,
  eventStream,
  maxCallBytes,
  preferredType,
  readBody,
  type ReadCall,
  readCall,
  type RequestGuard,
  type Route,
  route,
} from "../http/mod.ts";
import type { Screen } from "../safety/mod.ts";
import { type ApiKey, checkOrder, type Gateway, runsOf } from "../gateway/mod.ts";
import type { Forwarder, Waiting } from "./forwarder.ts";
import { type Drawn, drawn, evidenceOf } from "./refined.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import { watermarkFile } from "./watermark.ts";

/** What serving users needs of its validator. */
export interface GenerateParts {
  readonly forwarder: Pick<Forwarder, "generate">;
  readonly gateway: Pick<Gateway, "parts">;
  /** What is not known of the parent that a request names, in sentences; throws for one that is not its. */
  readonly lineageOf: (request: GenerationRequest) => readonly string[];
  /** Throws for hotkeys that may not ask. */
  readonly allowed: (signedBy: string) => void;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Marks images that callers want marked. */
  readonly codec: ImageCodec;
  /** Origins whose pages may ask; `*` for any, none for none. */
  readonly origins: readonly string[];
}

const JSON_TYPE = "application/json";
/** The first is what `image/*` gets. */
const IMAGE_FORMATS = ["png", "jpeg", "webp"] as const;
/** The first is for callers that take anything. */
const TYPES = [
  JSON_TYPE,
  ...IMAGE_FORMATS.map((format) => `image/${format}` as const),
  EVENT_STREAM,
] as const;
/** Seconds for which a page needs no new preflight: Chrome's maximum. */
const PREFLIGHT_SECONDS = 7200;

/** Milliseconds for the body of a keyed caller, which no signature's age bounds. */
const BODY_MS = 25_000;

/** A request that is sound in itself, as far as can be seen without its files. */
interface Order {
  readonly type: typeof TYPES[number];
  readonly draft: RequestDraft;
  /** The files that it names. */
  readonly inputs: InputFiles;
  readonly format: ImageFormat;
  readonly watermark: boolean;
  readonly refinement: Refinement | undefined;
}

/** One that its caller may have. */
interface Admitted extends Omit<Order, "draft"> {
  readonly owner: ApiKey;
  readonly request: GenerationRequest;
  /** Sentences for the user. */
  readonly notices: readonly string[];
  readonly screen: Screen;
}

/** Where users ask for images. @param failed is called with our own mistakes. */
export function generateRoute(
  guard: RequestGuard,
  parts: GenerateParts,
  metrics: ValidatorMetrics,
  failed: (error: unknown) => void,
): Route {
  return route({
    ...{ method: "post", path: PATHS.generate, auth: "signed or bearer", body: "ImageCall" },
    files: true,
    summary:
      "An image of a miner; the bearer is an API key. With Accept: image/* the file alone, " +
      "with text/event-stream events accepted, progress, done and error",
    answer: "ImageForUser",
    preferred: TYPES.slice(1),
    errors: [400, 401, 403, 406, 408, 409, 413, 429, 503],
    before: allowOrigins(parts.origins),
    handle: async (context) => {
      const { owner, body, room } = await admit(context.req.raw, guard, parts);
      using open = new DisposableStack();
      open.use(room);
      const count = outcomeCounter(metrics);
      const { parts: door } = parts.gateway;
      const order = await reporting(count, async () => {
        const { draft, ...order } = orderOf(context, readCall(context.req.raw, body));
        const asked = completeRequest(draft, parts.defaults);
        const notices = await checkOrder(door, {
          owner,
          requests: runsOf(asked, order.refinement),
        });
        const request = await requestOf(draft, order.inputs, parts);
        const runs = runsOf(request, order.refinement);
        for (const run of runs) await door.model.check(run);
        const notes = [...notices, ...parts.lineageOf(request)];
        const admitted = { ...order, owner, request, notices: notes, screen: door.screen(owner) };
        open.use(door.room.take(owner, runs.length));
        return admitted;
      });
      // Until the image is there: events are answered long before.
      const inWork = open.move();
      return await answer(context, order, failed, (waiting) =>
        reporting(count, async () => {
          using _ = inWork;
          const image = await counted(owner.id, door, () => imageFor(order, parts, waiting));
          count("served");
          for (const run of runsOf(order.request, order.refinement)) {
            door.store.usage.made(owner.id, run);
          }
          return image;
        }));
    },
  });
}

/** Lets pages of these origins use the API with their user's key. */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler[] {
  if (origins.length === 0) return [];
  const allowHeaders = ["authorization", "content-type", "accept", "idempotency-key"];
  return [cors({
    origin: origins.includes("*") ? "*" : [...origins],
    ...{ allowMethods: ["GET", "POST", "DELETE"] },
    allowHeaders: [...allowHeaders, "last-event-id"],
    exposeHeaders: ["retry-after", "stepwise-receipt", "location", "x-request-id"],
    maxAge: PREFLIGHT_SECONDS,
  })];
}

function outcomeCounter(metrics: ValidatorMetrics): (outcome: string) => void {
  const started = performance.now();
  return (outcome) => metrics.requested(outcome, (performance.now() - started) / 1000);
}

/** Counts an error by its code. */
async function reporting<T>(
  count: (outcome: string) => void,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    count(error instanceof AppError ? error.code : "internal");
    throw error;
  }
}

/** What users were refused, or miners did not make, counts as a failure; what they gave up does not. */
async function counted<T>(
  owner: string,
  { store }: Pick<Gateway["parts"], "store">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const gaveUp = error instanceof AppError && error.code === "cancelled";
    if (!gaveUp) store.usage.failed(owner);
    throw error;
  }
}

/** @throws AppError of a request that is bad or not acceptable. */
function orderOf(context: Context, { json, inputs }: ReadCall): Order {
  const type = preferredType(context, TYPES);
  const call = decodeImageCall(json);
  const preferred = IMAGE_FORMATS.find((format) => type === `image/${format}`);
  const format = call.format ?? preferred ?? "png";
  const { watermark, refinement } = call;
  return { type, draft: draftOf(call), inputs, format, watermark, refinement };
}

/** A miner's image, and its file as the user gets it. */
interface Served {
  readonly forwarded: Drawn;
  readonly file: Uint8Array<ArrayBuffer>;
  /** Sentences for the user. */
  readonly notices: readonly string[];
}

async function imageFor(
  { request, inputs, format, watermark, notices, screen, owner, refinement }: Admitted,
  { forwarder, codec, gateway: { parts: { pictures } } }: GenerateParts,
  waiting: Waiting,
): Promise<Served> {
  const asked = { request, format, inputs, refinement };
  const forwarded = await drawn(asked, { forwarder, pictures, owner: owner.id }, waiting);
  const { image } = forwarded;
  const screened = await screen.image(image);
  forwarded.shown?.();
  const file = watermark ? await watermarkFile(image, format, request, codec) : image;
  return { forwarded, file, notices: [...notices, ...screened] };
}

/** As JSON, as the file alone, or as events. */
async function answer(
  context: Context,
  order: Admitted,
  failed: (error: unknown) => void,
  serve: (waiting: Waiting) => Promise<Served>,
): Promise<Response> {
  if (order.type === EVENT_STREAM) {
    return await eventStream(context, async (emit, signal) => {
      emit("accepted", {});
      const onStep: Waiting["onStep"] = (progress) => emit("progress", progress);
      return answerOf(await serve({ signal, onStep }), order);
    }, failed);
  }
  const served = await serve({ signal: context.req.raw.signal });
  if (order.type === JSON_TYPE) return context.json(answerOf(served, order));
  return context.body(served.file, 200, {
    "content-type": `image/${order.format}`,
    "stepwise-receipt": served.forwarded.answer.id,
  });
}

/** Who asks, and what. */
interface Caller {
  readonly owner: ApiKey;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Of the body in this process, to be given back with the answer. */
  readonly room?: Disposable;
}

/** By API key, or by an allowed hotkey's signature. */
async function admit(
  request: Request,
  guard: RequestGuard,
  { gateway, allowed }: Pick<GenerateParts, "gateway" | "allowed">,
): Promise<Caller> {
  const authorization = request.headers.get("authorization");
  if (authorization === null && request.headers.has("epistula-version")) {
    const { signedBy, body } = await guard.take(request, maxCallBytes(request), allowed);
    return { owner: { id: signedBy, name: signedBy, limits: {} }, body };
  }
  const { keys, bodies } = gateway.parts;
  const owner = keys.admit(authorization);
  using room = new DisposableStack();
  room.use(bodies.take(owner.id, request.headers.get("content-length")));
  const body = await readBody(request, maxCallBytes(request), BODY_MS);
  return { owner, body, room: room.move() };
}

/** One image, of a seed that the caller or chance chose. */
function draftOf({ request }: ImageCall): RequestDraft {
  const draft = decodeDraft(request, { seed: randomSeed() });
  if (draft.batch === 1) return draft;
  throw new AppError(
    "invalid_request",
    `Cannot generate: batch is ${draft.batch}, and a request is for one image`,
  );
}

/** It has the shape of the image that it starts from. */
async function requestOf(
  draft: RequestDraft,
  inputs: InputFiles,
  { defaults, codec }: Pick<GenerateParts, "defaults" | "codec">,
): Promise<GenerationRequest> {
  const files = await decodeSources(draft, inputs, (file, what) => codec.decodeInput(file, what));
  return completeRequest({ ...draft, ...sizeOfSource(files, draft, defaults) }, defaults);
}

function answerOf(
  { forwarded: { parent, ...made }, file, notices }: Served,
  { format, watermark }: Pick<Order, "format" | "watermark">,
): ImageForUser {
  return {
    ...evidenceOf(made),
    image: file.toBase64(),
    mediaType: `image/${format}`,
    watermarked: watermark,
    notices,
    ...(parent && { parent: evidenceOf(parent) }),
  };
}
