import type { Context, Hono } from "hono";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import { type MinerInfo, minerSchemas, PATHS } from "../../core/protocol/mod.ts";
import { generationRequestSchema } from "../../core/request/mod.ts";
import type { OpeningTarget } from "../../core/transcript/mod.ts";
import {
  EVENT_STREAM,
  eventStream,
  maxCallBytes,
  preferredType,
  RateLimit,
  readCall,
  type Route,
  route,
} from "../http/mod.ts";
import { neuronRoutes } from "../neuron/mod.ts";
import { type Admission, admit, checkAsker, isReceiptId } from "./admission.ts";
import { counted } from "./counted.ts";
import { generationJob, type JobParts } from "./generation_job.ts";

export interface MinerParts extends JobParts, Admission {
  readonly source: JobParts["source"];
  /** The folder of the pages. */
  readonly site: string;
  readonly info: () => MinerInfo;
  /** What keeps it from its work now; none while it is ready. */
  readonly problems?: () => readonly string[];
}

/** Openings by one token in a minute: a whole transcript of a hundred steps. */
const OPENINGS_PER_MINUTE = 120;
/** An image is what its receipt's id says, for ever; without the token no cache hands it out. */
const CACHED = "private, max-age=86400, immutable";
/** A caller's file may be anything, and no browser is to take it for a page. */
const FILE_HEADERS = {
  ...{ "content-type": "application/octet-stream", "x-content-type-options": "nosniff" },
  "cache-control": CACHED,
};
/** Seconds for which a tab needs no new preflight before each step: Chrome's maximum. */
const PREFLIGHT_SECONDS = 7200;
const OPENING_ERRORS = [400, 401, 403, 404, 429] as const;
const OBJECT = { type: "object" };

/** The miner's HTTP API. */
export function minerRoutes(parts: MinerParts): Hono {
  const { site, metrics, shown, log, problems } = parts;
  const failed = (error: unknown) => log("failed", { error: String(error) }, "error");
  return neuronRoutes({
    ...{ site, metrics, log, problems, server: { kind: "miner", jobs: false } },
    receipts: {
      summary: "Receipts with their tokens, the newest first; none unless --receipts.public",
      list: (limit) => shown?.list(limit) ?? [],
    },
    api: {
      title: "Stepwise miner",
      version: parts.info().version,
      description: "Images whose every diffusion step can be opened and checked.",
      routes: [infoRoute(parts), ...generationRoutes(parts, failed), ...openingRoutes(parts)],
      schemas: {
        ...minerSchemas(),
        GenerationRequest: generationRequestSchema(),
        ...{ Deleted: OBJECT, Receipt: OBJECT },
      },
    },
  });
}

function infoRoute({ info }: MinerParts): Route {
  return route({
    ...{ method: "get", path: PATHS.info, auth: "open", answer: "MinerInfo", errors: [] },
    summary: "What this miner is, has and can",
    before: [cors({ origin: "*" })],
    handle: (context) => context.json(info()),
  });
}

function generationRoutes(parts: MinerParts, failed: (error: unknown) => void): Route[] {
  return [
    route({
      ...{ method: "post", path: PATHS.generations, auth: "signed", body: "GenerationCall" },
      files: true,
      summary: "Make images; with Accept: text/event-stream progress comes as events queued, " +
        "progress, done and error",
      answer: "GenerationAnswer",
      preferred: [EVENT_STREAM],
      errors: [400, 401, 403, 406, 408, 409, 413, 429, 503],
      handle: (context) => generate(context, parts, failed),
    }),
    route({
      ...{ method: "delete", path: PATHS.generation, auth: "signed", answer: "Deleted" },
      summary: "Cancel a job by its id, or forget an image by its receipt's",
      errors: [401, 403, 404],
      handle: (context) => remove(context, context.req.param("id"), parts),
    }),
  ];
}

async function generate(
  context: Context,
  parts: MinerParts,
  failed: (error: unknown) => void,
): Promise<Response> {
  const { raw } = context.req;
  const { signedBy, body } = await parts.guard.take(raw, maxCallBytes(raw), parts.allowed);
  const type = preferredType(context, ["application/json", EVENT_STREAM]);
  const job = await generationJob(parts, signedBy, readCall(raw, body));
  if (type === EVENT_STREAM) return await eventStream(context, job, failed);
  return context.json(await job(undefined, context.req.raw.signal));
}

async function remove(context: Context, id: string, parts: MinerParts): Promise<Response> {
  const { guard, allowed, source, self, shown } = parts;
  const { signedBy } = await guard.take(context.req.raw, 0, allowed);
  if (!isReceiptId(id)) return context.json({ cancelled: await source.cancel(id, signedBy) });
  await checkAsker(source, id, signedBy, self);
  await source.forget(id);
  shown?.forget(id);
  return context.json({ forgotten: true });
}

/** What opens an image and its steps. A tab of any origin may check: it needs the token. */
function openingRoutes(parts: MinerParts): Route[] {
  const limit = new RateLimit("open", OPENINGS_PER_MINUTE, 60_000);
  const allow = cors({
    ...{ origin: "*", allowMethods: ["GET", "HEAD"], allowHeaders: ["authorization"] },
    ...{ exposeHeaders: ["retry-after"], maxAge: PREFLIGHT_SECONDS },
  });
  const common: Pick<Route, "method" | "auth" | "query" | "errors" | "before"> = {
    ...{ method: "get", auth: "signed or bearer", query: ["token"], errors: OPENING_ERRORS },
    before: [allowPrivateNetwork, allow],
  };
  return [
    route({
      ...{ ...common, path: PATHS.generation, answer: "Receipt" },
      summary: "A receipt; the bearer is its opening token",
      handle: async (context) => {
        const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
        return context.json({ id, receipt: await parts.source.receipt(id) });
      },
    }),
    route({
      ...{ ...common, path: PATHS.image, answer: ["image/png", "image/jpeg", "image/webp"] },
      summary: "The image's file",
      handle: async (context) => {
        const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
        return await imageOf(context, id, parts);
      },
    }),
    route({
      ...{ ...common, path: PATHS.input, answer: ["application/octet-stream"] },
      summary: "A file that the receipt's request names, by its SHA-256",
      handle: async (context) => {
        const sha256 = hashOf(context.req.param("sha256"));
        const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
        return context.body(await parts.source.input(id, sha256), 200, FILE_HEADERS);
      },
    }),
    route({
      ...{ ...common, path: PATHS.step, answer: ["application/octet-stream"] },
      summary: "The opening of a step, or of start or end: safetensors with its proof",
      handle: async (context) => {
        // Before the token is used: a bad request does not use up the rate.
        const target = targetOf(context.req.param("step"));
        const id = await admit(parts, limit, context.req.raw, context.req.param("id"));
        const opening = await counted(
          () => parts.source.open(id, target),
          (outcome) => parts.metrics.opened(outcome ?? "opened"),
        );
        const headers = { "content-type": "application/octet-stream" };
        return context.body(Uint8Array.from(opening), 200, headers);
      },
    }),
  ];
}

async function allowPrivateNetwork(context: Context, next: () => Promise<void>): Promise<void> {
  context.header("access-control-allow-private-network", "true");
  await next();
}

async function imageOf(context: Context, id: string, { source }: MinerParts): Promise<Response> {
  const headers = { etag: `"${id}"`, "cache-control": CACHED, vary: "authorization" };
  if (context.req.header("if-none-match")?.includes(headers.etag)) {
    return context.body(null, 304, headers);
  }
  const { bytes, mediaType } = await source.image(id);
  return context.body(bytes, 200, { ...headers, "content-type": mediaType });
}

function hashOf(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new AppError("challenge_invalid", `Cannot open a file: ${text.slice(0, 80)} is no SHA-256`);
}

function targetOf(text: string): OpeningTarget {
  if (text === "start" || text === "end") return text;
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new AppError(
    "challenge_invalid",
    `Cannot open a step: ${text} is no number, "start" or "end"`,
  );
}
