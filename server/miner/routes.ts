import type { Context, Hono } from "hono";
import { cors } from "hono/cors";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { AppError } from "../../core/error.ts";
import { encodeImage } from "../../core/image/mod.ts";
import type { StepProgress } from "../../core/generation/mod.ts";
import {
  decodeGenerationCall,
  type GenerationAnswer,
  type GenerationCall,
  type MinerInfo,
} from "../../core/protocol/mod.ts";
import type { OpeningTarget } from "../../core/transcript/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import {
  errorResponse,
  parseJson,
  RateLimit,
  type RequestGuard,
  type SignedRequest,
} from "../http/mod.ts";
import { neuronRoutes } from "../neuron/mod.ts";
import type { ImageSource } from "./image_source.ts";
import type { MinerMetrics } from "./metrics.ts";
import { minerApi } from "./openapi.ts";
import type { PublicReceipts } from "./public_receipts.ts";

export interface MinerParts {
  readonly guard: RequestGuard;
  readonly source: ImageSource;
  readonly metrics: MinerMetrics;
  /** The folder of the pages. */
  readonly site: string;
  /** SS58 of this miner, who may see everything here. */
  readonly self: string;
  /** Throws for callers that may not ask. */
  readonly allowed: (signedBy: string) => void;
  readonly info: () => MinerInfo;
  /** What everybody may see; without it nobody else does. */
  readonly shown?: PublicReceipts;
  readonly log: Log;
}

/** Four prompts of 10,000 characters, escaped, fit. */
const MOST_CALL_BYTES = 512 * 1024;
/** Openings by one token in a minute: a whole transcript of a hundred steps. */
const OPENINGS_A_MINUTE = 120;
/** An image is what its receipt's id says, for ever; who has no token gets it from no cache. */
const KEPT = "private, max-age=86400, immutable";
/** Milliseconds: less than the 60 s after which proxies give up a stream that says nothing. */
const HEARTBEAT_MS = 15_000;
/** For which a tab need not ask again whether it may ask, before each step; as long as Chrome lets. */
const PREFLIGHT_SECONDS = 7200;
const RECEIPT_ID = /^[0-9a-f]{64}$/;

/** The miner's HTTP API. */
export function minerRoutes(parts: MinerParts): Hono {
  const limit = new RateLimit("open", OPENINGS_A_MINUTE, 60_000);
  const failed = (own: unknown) => parts.log("failed", { error: String(own) });
  const { site, metrics, shown } = parts;
  const app = neuronRoutes({
    ...{ site, metrics, document: minerApi(parts.info().version), failed },
    receipts: (limit) => shown?.list(limit) ?? [],
  });
  // A tab of any origin may check: what it reads is evidence, and it needs the token.
  app.use("/v1/generations/:id/*", async (context, next) => {
    context.header("access-control-allow-private-network", "true");
    await next();
  });
  app.use(
    "/v1/generations/:id/*",
    cors({
      ...{ origin: "*", allowMethods: ["GET", "HEAD"], allowHeaders: ["authorization"] },
      ...{ exposeHeaders: ["retry-after"], maxAge: PREFLIGHT_SECONDS },
    }),
  );
  app.get("/v1/info", cors({ origin: "*" }), (context) => context.json(parts.info()));
  app.post("/v1/generations", async (context) => {
    const signed = await parts.guard.take(context.req.raw, MOST_CALL_BYTES, parts.allowed);
    const job = beginJob(parts, signed);
    if (!context.req.header("accept")?.includes("text/event-stream")) {
      return context.json(await job.run({}, context.req.raw.signal));
    }
    return await streamed(context, job, failed);
  });
  app.delete("/v1/generations/:id", async (context) => {
    const { signedBy } = await parts.guard.take(context.req.raw, 0, parts.allowed);
    const id = context.req.param("id");
    if (!RECEIPT_ID.test(id)) {
      return context.json({ cancelled: parts.source.cancel(id, signedBy) });
    }
    await checkAsker(parts.source, id, signedBy, parts.self);
    await parts.source.forget(id);
    shown?.forget(id);
    return context.json({ forgotten: true });
  });
  app.get("/v1/generations/:id", async (context) => {
    const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
    return context.json({ id, receipt: await parts.source.receipt(id) });
  });
  app.get("/v1/generations/:id/image", async (context) => {
    const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
    const headers = { etag: `"${id}"`, "cache-control": KEPT, vary: "authorization" };
    if (context.req.header("if-none-match")?.includes(headers.etag)) {
      return context.body(null, 304, headers);
    }
    const { bytes, mediaType } = await parts.source.image(id);
    return context.body(bytes, 200, { ...headers, "content-type": mediaType });
  });
  app.get("/v1/generations/:id/steps/:step", async (context) => {
    const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
    const opening = await counted(
      () => parts.source.open(id, targetOf(context.req.param("step"))),
      (outcome) => parts.metrics.opened(outcome ?? "opened"),
    );
    return context.body(Uint8Array.from(opening), 200, {
      "content-type": "application/octet-stream",
    });
  });
  return app;
}

/** Sends an event; its data may still be on its way. */
type Event = (event: string, data: unknown) => void;

interface Tell {
  readonly tell?: Event;
}

/** Decodes a call, and runs it when its turn comes. */
function beginJob(parts: MinerParts, { signedBy, body }: SignedRequest) {
  const call = decodeGenerationCall(parseJson(body));
  const validator = validatorOf(call, signedBy, parts.self);
  const request = parts.source.requestOf(call);
  const id = crypto.randomUUID();
  const run = async ({ tell }: Tell, signal: AbortSignal): Promise<GenerationAnswer> => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const made = await counted(
      () =>
        parts.source.run({
          ...{ id, owner: signedBy, signal },
          onPosition: (position) => tell?.("queued", { id, position }),
          task: {
            ...{ request, format: call.format, previews: call.previews, validator },
            onStep: (progress) => tellStep(tell, id, call, progress),
          },
        }),
      (outcome) =>
        parts.metrics.generated(outcome ?? "done", outcome ? 0 : request.batch, seconds()),
    );
    parts.shown?.add(made.images);
    parts.log("generated", {
      id,
      for: signedBy,
      images: made.images.length,
      ms: Math.round(1000 * seconds()),
    });
    return { id, ...made };
  };
  return { id, run };
}

/**
 * A job's answer as events. What is refused before the first of them, such as for want of room, is
 * answered with its status like any refusal.
 */
async function streamed(
  context: Context,
  { run }: ReturnType<typeof beginJob>,
  failed: (own: unknown) => void,
): Promise<Response> {
  const opened = Promise.withResolvers<SSEStreamingApi>();
  const begun = Promise.withResolvers<void>();
  // Events leave in the order they were told, and all of them before the stream ends.
  let told: Promise<void> = Promise.resolve();
  const tell: Event = (event, data) => {
    begun.resolve();
    told = told.then(async () => {
      const stream = await opened.promise;
      await stream.writeSSE({ event, data: JSON.stringify(await data) });
    });
  };
  const gone = new AbortController();
  const made = run({ tell }, AbortSignal.any([gone.signal, context.req.raw.signal]));
  await Promise.race([begun.promise, made]);
  // Or nginx sends all events at once, when the last is there.
  context.header("x-accel-buffering", "no");
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => gone.abort());
    opened.resolve(stream);
    const heart = setInterval(() => void stream.write(":\n\n"), HEARTBEAT_MS);
    try {
      tell("done", await made);
    } catch (error) {
      tell("error", errorResponse(error, failed).json());
    }
    await told.finally(() => clearInterval(heart));
  });
}

/** Tells how it ended: by an error's code, or undefined. */
async function counted<T>(
  run: () => Promise<T>,
  tell: (outcome: string | undefined) => void,
): Promise<T> {
  try {
    const result = await run();
    tell(undefined);
    return result;
  } catch (error) {
    tell(error instanceof AppError ? error.code : "internal");
    throw error;
  }
}

/** An axon that asks an image generator says for whom; nobody else may. */
function validatorOf(
  { validator }: GenerationCall,
  signedBy: string,
  self: string,
): string {
  if (validator === undefined || signedBy === self) return validator ?? signedBy;
  throw new AppError(
    "not_allowed",
    `Cannot take the request: validator is ${validator}, which only ${self} may say`,
  );
}

function tellStep(
  tell: Event | undefined,
  id: string,
  { previews }: GenerationCall,
  { index, steps, preview }: StepProgress,
): void {
  if (!tell) return;
  const step = { id, step: index + 1, steps };
  const pictures = previews ? preview() : undefined;
  if (!pictures) return tell("progress", step);
  const files = Promise.all(pictures.map((picture) => encodeImage(picture, "png", 100)));
  tell(
    "progress",
    files.then((all) => ({
      ...step,
      previews: all.map((file) => `data:image/png;base64,${file.toBase64()}`),
    })),
  );
}

/**
 * Lets in whoever has the receipt's token, or asked for the image and signs.
 * @returns the receipt's id.
 * @throws AppError `not_allowed`, `rate_limited`, `transcript_not_found`, or as the guard.
 */
async function admit(
  { source, self, guard, allowed }: MinerParts,
  limit: RateLimit,
  request: Request,
  id: string,
): Promise<string> {
  if (!RECEIPT_ID.test(id)) {
    throw new AppError("transcript_not_found", "Cannot open: it is no receipt's id");
  }
  const token = tokenOf(request);
  if (token !== undefined) {
    if (!await source.opens(token, id)) {
      throw new AppError("not_allowed", "Cannot open: the token is not this receipt's");
    }
    limit.take(id);
    return id;
  }
  const { signedBy } = await guard.take(request, 0, allowed);
  await checkAsker(source, id, signedBy, self);
  return id;
}

function tokenOf(request: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer ?? new URL(request.url).searchParams.get("token") ?? undefined;
}

/** @throws AppError `not_allowed` for who did not ask for the image, nor made it. */
async function checkAsker(
  source: ImageSource,
  id: string,
  signedBy: string,
  self: string,
): Promise<void> {
  const { validator } = await source.receipt(id);
  if (validator === signedBy || self === signedBy) return;
  throw new AppError("not_allowed", `Cannot open: ${signedBy} did not ask for this image`);
}

function targetOf(text: string): OpeningTarget {
  if (text === "start" || text === "end") return text;
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new AppError(
    "challenge_invalid",
    `Cannot open a step: ${text} is no number, "start" or "end"`,
  );
}
