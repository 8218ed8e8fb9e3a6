import { type Context, Hono, type MiddlewareHandler } from "hono";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import { PATHS } from "../../core/protocol/mod.ts";
import { errorResponse, mount, openApi, type Route, route } from "../http/mod.ts";
import { sitePage } from "../web/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { ErrorLog } from "./error_log.ts";
import type { Metrics } from "./metrics.ts";

const NO_ROUTE = "Cannot answer: there is no such route";
const MAX_ENTRIES = 100;
const DEFAULT_ENTRIES = 20;
const METHODS = ["GET", "POST", "DELETE"];
const OBJECT = { type: "object" };

/** A neuron's own routes, as they are served and as its document describes them. */
export interface NeuronApi {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly routes: readonly Route[];
  /** JSON Schemas by the names that the routes have for them. */
  readonly schemas: Readonly<Record<string, unknown>>;
}

/** What a neuron's own pages may ask of it. */
interface ServerForPages {
  readonly kind: "miner" | "validator";
  /** Whether it takes jobs of who has a key. */
  readonly jobs: boolean;
}

/** Receipts that anybody may check, the newest first. */
interface ReceiptList {
  readonly summary: string;
  /** At most so many. */
  readonly list: (limit: number) => readonly unknown[];
  /**
   * Those of an image that somebody has, by its file's SHA-256 or by its perceptual hash, where the server
   * knows of any.
   */
  readonly find?: (
    query: { readonly image?: string; readonly looks?: string },
  ) => readonly unknown[];
}

/** A neuron's HTTP API: its own routes, and the errors, pages, receipts and figures of every one. */
export function neuronRoutes({ site, server, receipts, metrics, api, log, problems = () => [] }: {
  /** The folder of the pages. */
  readonly site: string;
  readonly server: ServerForPages;
  readonly receipts: ReceiptList;
  readonly metrics: Metrics;
  readonly api: NeuronApi;
  /** Called with refused requests, and with our own mistakes. */
  readonly log: Log;
  /** What keeps it from its work now, as sentences; none while it is ready. */
  readonly problems?: () => readonly string[];
}): Hono {
  const { title, version, description, schemas } = api;
  const routes = [
    ...api.routes,
    ...receiptRoutes(receipts, server),
    metricsRoute(metrics),
    ...healthRoutes(problems),
    documentRoute(() => document),
  ];
  const document = openApi(
    { title, version, description },
    { ...schemas, Receipts: OBJECT, Document: OBJECT, Health: OBJECT },
    routes,
  );
  const app = new Hono();
  app.use(withLengthAndNoCache, compressGet);
  const errors = new ErrorLog(log);
  app.onError((error, { req }) => {
    errors.note(error, { method: req.method, path: req.path, header: (name) => req.header(name) });
    return errorResponse(error, () => {});
  });
  app.notFound(async ({ req }) =>
    await sitePage(req.raw, site) ?? notAllowed(app, req.path) ??
      errorResponse(new AppError("not_found", NO_ROUTE), () => {})
  );
  mount(app, routes);
  return app;
}

function receiptRoutes(
  { summary, list, find }: ReceiptList,
  server: ServerForPages,
): Route[] {
  const common: Omit<Route, "path" | "summary" | "handle"> = {
    ...{ method: "get", auth: "open", answer: "Receipts", errors: find ? [400] : [] },
    query: ["limit", ...find ? ["image", "looks"] : []],
    before: [cors({ origin: "*" })],
  };
  const receipts = ({ req }: Context) => {
    const { limit, image, looks } = req.query();
    const found = image !== undefined || looks !== undefined ? find?.({ image, looks }) : undefined;
    return found ?? list(entriesOf(limit));
  };
  return [
    route({
      ...{ ...common, path: PATHS.receipts, summary },
      handle: (context) => context.json({ receipts: receipts(context) }),
    }),
    route({
      ...{ ...common, path: PATHS.pageReceipts },
      summary: "The same list, and what the server is, for the pages that it sends",
      handle: (context) => context.json({ receipts: receipts(context), server }),
    }),
  ];
}

function metricsRoute(metrics: Metrics): Route {
  return route({
    ...{ method: "get", path: PATHS.metrics, auth: "open", answer: ["text/plain"], errors: [] },
    summary: "For Prometheus",
    handle: async (context) =>
      context.text(await metrics.text(), 200, { "content-type": metrics.contentType }),
  });
}

/** For what starts and watches processes, and for what balances load. */
function healthRoutes(problems: () => readonly string[]): Route[] {
  return [
    route({
      ...{ method: "get", path: PATHS.healthz, auth: "open", answer: "Health", errors: [] },
      summary: "Whether the process is alive",
      handle: (context) => context.json({ alive: true }),
    }),
    route({
      ...{ method: "get", path: PATHS.readyz, auth: "open", answer: "Health", errors: [503] },
      summary: "Whether it can do its work: engine computing, chain in reach, hotkey registered. " +
        "With 503 its problems are listed",
      handle: (context) => {
        const found = problems();
        const ready = found.length === 0;
        return context.json({ ready, problems: found }, ready ? 200 : 503);
      },
    }),
  ];
}

function documentRoute(document: () => unknown): Route {
  return route({
    ...{ method: "get", path: PATHS.openapi, auth: "open", answer: "Document", errors: [] },
    summary: "This document",
    before: [cors({ origin: "*" })],
    handle: () => Response.json(document()),
  });
}

/** HEAD has the length that GET would have; caches keep nothing that does not say so. */
const withLengthAndNoCache: MiddlewareHandler = async (context, next) => {
  await next();
  const { res, req } = context;
  if (!res.headers.has("cache-control")) context.header("cache-control", "no-store");
  if (req.raw.method === "HEAD" && !res.headers.has("content-length")) {
    context.header("content-length", String((await res.clone().bytes()).length));
  }
};

const compressed = compress();
/** Lists and this document shrink to a fifth; answers to POST are images, and not kept waiting. */
const compressGet: MiddlewareHandler = (context, next) =>
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
export function entriesOf(limit: string | undefined): number {
  const asked = Number(limit ?? DEFAULT_ENTRIES);
  return Number.isInteger(asked) ? Math.min(MAX_ENTRIES, Math.max(1, asked)) : DEFAULT_ENTRIES;
}
