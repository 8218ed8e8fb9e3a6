import { Hono, type MiddlewareHandler } from "hono";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import { errorResponse } from "../http/mod.ts";
import { siteFile } from "../web/mod.ts";
import type { Metrics } from "./metrics.ts";

const NO_ROUTE = "Cannot answer: there is no such route";

/** Where receipts are listed: for everybody, and for the pages that this server sends. */
const RECEIPTS = ["/v1/receipts", "/receipts.json"] as const;
const MOST_ENTRIES = 100;
const METHODS = ["GET", "POST", "DELETE"];

/** The frame of a neuron's HTTP API: its refusals, pages, receipts, figures and own description. */
export function neuronRoutes({ site, receipts, metrics, document, failed }: {
  /** The folder of the pages. */
  readonly site: string;
  /** What anybody may check, the newest first, at most so many. */
  readonly receipts: (limit: number) => readonly unknown[];
  readonly metrics: Metrics;
  /** As OpenAPI has it. */
  readonly document: unknown;
  /** Hears of our own mistakes. */
  readonly failed: (error: unknown) => void;
}): Hono {
  const app = new Hono();
  app.use(asAskedFor, smallLists);
  app.onError((error) => errorResponse(error, failed));
  app.notFound(async ({ req }) =>
    await siteFile(req.raw, site) ?? notAllowed(app, req.path) ??
      errorResponse(new AppError("not_found", NO_ROUTE), () => {})
  );
  for (const path of RECEIPTS) {
    app.get(
      path,
      cors({ origin: "*" }),
      (context) => context.json({ receipts: receipts(entriesAsked(context.req.query("limit"))) }),
    );
  }
  app.get(
    "/metrics",
    async (context) =>
      context.text(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
  app.get("/openapi.json", cors({ origin: "*" }), () => Response.json(document));
  return app;
}

/** HEAD tells the length that GET would have; nothing is kept by caches that does not say so. */
const asAskedFor: MiddlewareHandler = async (context, next) => {
  await next();
  const { res, req } = context;
  if (!res.headers.has("cache-control")) context.header("cache-control", "no-store");
  if (req.raw.method === "HEAD" && !res.headers.has("content-length")) {
    context.header("content-length", String((await res.clone().bytes()).length));
  }
};

const compressed = compress();
/** Lists and this document shrink to a fifth; answers to POST are images, and not kept waiting. */
const smallLists: MiddlewareHandler = (context, next) =>
  context.req.method === "GET" ? compressed(context, next) : next();

/** @returns undefined for a path that there is no route for by any method. */
function notAllowed({ router }: Hono, path: string): Response | undefined {
  const allowed = METHODS.filter((method) =>
    router.match(method, path)[0].some(([[, route]]) => route.method === method)
  );
  if (allowed.length === 0) return undefined;
  const allow = allowed.join(", ");
  const error = new AppError("method_not_allowed", `Cannot answer: ${path} takes ${allow} alone`);
  const response = errorResponse(error, () => {});
  response.headers.set("allow", allow.replace("GET", "GET, HEAD"));
  return response;
}

/** How many entries of a list were asked for. @param limit as the query has it. */
export function entriesAsked(limit: string | undefined): number {
  const asked = Number(limit ?? 20);
  return Number.isInteger(asked) ? Math.min(MOST_ENTRIES, Math.max(1, asked)) : 20;
}
