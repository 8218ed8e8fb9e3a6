import { z } from "zod";
import { viralityOf } from "../../core/content/mod.ts";
import { askJson, type Remote } from "./remote.ts";

/** Bytes of what is read. */
const MAX_ANSWER = 16 * 2 ** 20;
/** Pieces that are shown. */
const SHOWN = 5;

const piece = z.object({
  id: z.string(),
  caption: z.string(),
  creator: z.string(),
  at: z.number(),
  url: z.url({ protocol: /^https?$/ }).max(2048),
});
const pieces = z.object({ pieces: z.array(piece) });
const published = z.object({ id: z.string(), url: z.string() });
const spread = z.object({
  at: z.number(),
  pieces: z.array(z.object({
    id: z.string(),
    creator: z.string(),
    score: z.number(),
    parent: z.string().optional(),
  })),
  posts: z.array(z.object({ post: z.string(), piece: z.string(), account: z.string() })),
  engagements: z.array(z.object({
    post: z.string(),
    account: z.string(),
    kind: z.enum(["like", "repost"]),
    at: z.number(),
    since: z.number(),
  })),
  accounts: z.record(z.string(), z.string()),
});

/** A published piece, and what it earned of late by what spreads. */
export type TopPiece = z.infer<typeof piece> & { readonly points: number };

/** `deno task content serve`, over HTTP. */
export class ContentService {
  readonly #remote: Remote;

  constructor(remote: Omit<Remote, "name">) {
    this.#remote = { ...remote, name: "the server of published pictures" };
  }

  async publish(
    submission: {
      readonly receipt: unknown;
      readonly image: Uint8Array<ArrayBuffer>;
      readonly caption: string;
      readonly token?: string;
    },
    signal?: AbortSignal,
  ): Promise<z.infer<typeof published>> {
    const json = { ...submission, image: submission.image.toBase64() };
    const call = { method: "POST", json, signal } as const;
    return await askJson(this.#remote, "/v1/content", published, MAX_ANSWER, call);
  }

  /** Of the newest pieces those that earn most; of equal ones the newest first. */
  async top(signal?: AbortSignal): Promise<readonly TopPiece[]> {
    const [listed, spreading] = await Promise.all([
      askJson(this.#remote, "/v1/content", pieces, MAX_ANSWER, { signal }),
      askJson(this.#remote, "/v1/content/spread", spread, MAX_ANSWER, { signal }),
    ]);
    const earned = new Map(Object.entries(viralityOf(spreading, spreading.at).pieces));
    return listed.pieces.map((each) => ({ ...each, points: earned.get(each.id) ?? 0 }))
      .toSorted((a, b) => b.points - a.points || b.at - a.at).slice(0, SHOWN);
  }
}
