import { Hono } from "hono";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import { errorResponse } from "../http/mod.ts";
import { siteFile } from "../web/mod.ts";
import type { Metrics } from "./metrics.ts";

const NO_ROUTE = "Cannot answer: there is no such route";

/** The frame of a neuron's HTTP API: its refusals, pages, figures and own description. */
export function neuronRoutes({ site, metrics, document, failed }: {
  /** The folder of the pages. */
  readonly site: string;
  readonly metrics: Metrics;
  /** As OpenAPI has it. */
  readonly document: unknown;
  /** Hears of our own mistakes. */
  readonly failed: (error: unknown) => void;
}): Hono {
  const app = new Hono();
  app.onError((error) => errorResponse(error, failed));
  app.notFound(async ({ req }) =>
    await siteFile(req.raw, site) ?? errorResponse(new AppError("not_found", NO_ROUTE), () => {})
  );
  app.get(
    "/metrics",
    async (context) =>
      context.text(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
  app.get("/openapi.json", cors({ origin: "*" }), () => Response.json(document));
  return app;
}
