import { Hono } from "hono";
import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { issueSentence } from "../../core/json_decoding.ts";
import { errorResponse, parseJson, RateLimit, readBody, sourceAddress } from "../http/mod.ts";
import type { Virality } from "../virality/mod.ts";
import type { Earnings } from "./earnings.ts";
import { atomFeed, jsonFeed, publicPiece } from "./feeds.ts";
import { Places } from "./places.ts";
import type { Publications } from "./publications.ts";
import type { Publisher } from "./publisher.ts";

/** Of a submission: an image in base64, and its receipt. */
const MAX_BYTES = 48 * 1024 * 1024;
/** Of a body that names a post. */
const MAX_NAMING = 16 * 1024;
/** Submissions of one user or address, also those that are refused. */
const SENT_PER_MINUTE = 30;
/** Submissions in work at once: each is held in memory, and may wait for its miner. */
const AT_ONCE = { ofOne: 2, ofAll: 16 };
/** Milliseconds for which an answer that all pieces go into is given again. */
const KEPT_MS = 60_000;
/** Posts of one piece, also those that are refused. */
const NAMED_PER_MINUTE = 12;
/** Milliseconds for a body. */
const BODY_MS = 60_000;
/** Pieces in a list. */
const LISTED = 50;

export interface ContentParts {
  readonly publisher: Pick<Publisher, "publish">;
  readonly publications: Publications;
  /** Who a key of applications is of; undefined without a key. @throws AppError `not_allowed`. */
  readonly userOf?: (authorization: string | undefined) => string | undefined;
  readonly virality: Pick<Virality, "name" | "posts">;
  readonly earnings: Pick<Earnings, "spread" | "now">;
  /** As readers reach it, without a slash at its end. */
  readonly base: string;
  /** Of our own mistakes. */
  readonly log: (error: unknown) => void;
  /** Milliseconds for which what all pieces go into is answered as before; default: a minute. */
  readonly keptMs?: number;
}

/** Publishing, and what was published: as JSON, as JSON Feed, and as Atom. */
export function contentRoutes(
  { publisher, publications, virality, earnings, userOf, base, log, keptMs = KEPT_MS }:
    ContentParts,
): Hono {
  const app = new Hono();
  const newest = () => publications.list(LISTED);
  const pieceOf = (id: string) => {
    const piece = publications.find(id);
    if (piece) return piece;
    throw new AppError("not_found", "Cannot find the piece: none has this id");
  };
  const naming = new RateLimit("name a post", NAMED_PER_MINUTE, 60_000);
  const sending = new RateLimit("publish", SENT_PER_MINUTE, 60_000);
  const places = new Places(AT_ONCE);
  const spread = keptFor(keptMs, () => earnings.spread());
  const earned = keptFor(keptMs, () => earnings.now());
  app.onError((error) => errorResponse(error, log));
  app.post("/v1/content", async (context) => {
    const { raw } = context.req;
    const user = userOf?.(context.req.header("authorization"));
    const sender = user ?? `from ${sourceAddress(raw)}`;
    sending.take(sender);
    using _ = places.take(sender);
    const body = await readBody(raw, MAX_BYTES, BODY_MS);
    const piece = await publisher.publish(parseJson(body), user);
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
    const { id, receipt } = pieceOf(context.req.param("id"));
    context.header("content-type", receipt.image.mediaType);
    context.header("cache-control", "public, max-age=31536000, immutable");
    return context.body(publications.image(id) ?? new Uint8Array());
  });
  app.post("/v1/content/:id/posts", async (context) => {
    const { id } = pieceOf(context.req.param("id"));
    const body = await readBody(context.req.raw, MAX_NAMING, BODY_MS);
    const url = urlOf(parseJson(body));
    // Each asks a network several times, which has limits of its own.
    naming.take(id);
    return context.json(await virality.name(id, url), 201);
  });
  app.get("/v1/content/:id/posts", (context) => {
    const { id } = pieceOf(context.req.param("id"));
    return context.json({ posts: virality.posts(id) });
  });
  // All that earnings follow from, so that anybody finds the same numbers.
  app.get("/v1/content/spread", (context) => context.json(spread()));
  app.get("/v1/content/earnings", (context) => context.json(earned()));
  return app;
}

/** The answer of a while ago, where there is one. */
function keptFor<T>(ms: number, make: () => T): () => T {
  let kept: { readonly at: number; readonly answer: T } | undefined;
  return () => {
    const now = Date.now();
    if (kept === undefined || now - kept.at >= ms) kept = { at: now, answer: make() };
    return kept.answer;
  };
}

const namingSchema = z.strictObject({ url: z.string().min(1).max(2048) });

function urlOf(json: unknown): string {
  const decoded = namingSchema.safeParse(json);
  if (decoded.success) return decoded.data.url;
  const why = issueSentence(decoded.error.issues[0], json);
  throw new AppError("invalid_request", `Cannot take the post: ${why}`, { cause: decoded.error });
}
