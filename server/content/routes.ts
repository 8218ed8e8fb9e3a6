import { Hono } from "hono";
import { AppError } from "../../core/error.ts";
import { errorResponse, parseJson, readBody } from "../http/mod.ts";
import { atomFeed, jsonFeed, publicPiece } from "./feeds.ts";
import type { Publications } from "./publications.ts";
import type { Publisher } from "./publisher.ts";

/** Of a submission: an image in base64, and its receipt. */
const MAX_BYTES = 48 * 1024 * 1024;
/** Milliseconds for it. */
const BODY_MS = 60_000;
/** Pieces in a list. */
const LISTED = 50;

export interface ContentParts {
  readonly publisher: Publisher;
  readonly publications: Publications;
  /** As readers reach it, without a slash at its end. */
  readonly base: string;
  /** Of our own mistakes. */
  readonly log: (error: unknown) => void;
}

/** Publishing, and what was published: as JSON, as JSON Feed, and as Atom. */
export function contentRoutes({ publisher, publications, base, log }: ContentParts): Hono {
  const app = new Hono();
  const newest = () => publications.list(LISTED);
  app.onError((error) => errorResponse(error, log));
  app.post("/v1/content", async (context) => {
    const body = await readBody(context.req.raw, MAX_BYTES, BODY_MS);
    const piece = await publisher.publish(parseJson(body));
    return context.json(publicPiece(piece, { base }), 201);
  });
  app.get("/v1/content", (context) =>
    context.json({
      pieces: newest().map((piece) => publicPiece(piece, { base })),
      batches: publications.batches(),
    }));
  app.get("/v1/content/feed.json", (context) => context.json(jsonFeed(newest(), { base })));
  app.get("/v1/content/atom.xml", (context) => {
    context.header("content-type", "application/atom+xml; charset=utf-8");
    return context.body(atomFeed(newest(), { base }));
  });
  app.get("/v1/content/:id/image", (context) => {
    const piece = publications.find(context.req.param("id"));
    if (!piece) throw new AppError("not_found", "Cannot find the piece: none has this id");
    context.header("content-type", piece.receipt.image.mediaType);
    context.header("cache-control", "public, max-age=31536000, immutable");
    return context.body(piece.image);
  });
  return app;
}
