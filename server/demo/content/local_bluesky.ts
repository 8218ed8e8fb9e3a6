import { Hono } from "hono";
import { type LocalAccount, type LocalPost, pageOf, Social } from "./social.ts";

/**
 * An AppView of Bluesky in one process, in the shapes of its lexicons (app.bsky.feed.getPosts, getLikes,
 * getRepostedBy, app.bsky.actor.getProfile): for tests and the demonstration.
 */
export class LocalBluesky extends Social {
  readonly app = new Hono();

  constructor() {
    super();
    this.app.use("/xrpc/*", async (_context, next) => {
      const refused = this.refusal((seconds) =>
        Response.json({ error: "RateLimitExceeded", message: "Rate Limit Exceeded" }, {
          status: 429,
          headers: {
            "ratelimit-limit": "3000",
            "ratelimit-remaining": "0",
            "ratelimit-reset": String(Math.ceil(Date.now() / 1000 + seconds)),
            "ratelimit-policy": "3000;w=300",
          },
        })
      );
      if (refused) return refused;
      await next();
    });
    this.#routes();
  }

  /** Of a post: `at://` the author's DID, the collection, and its key. */
  uriOf({ id, author }: Pick<LocalPost, "id" | "author">): string {
    return `at://${author}/app.bsky.feed.post/${id}`;
  }

  #routes(): void {
    this.app.get("/xrpc/app.bsky.actor.getProfile", (context) => {
      const actor = context.req.query("actor") ?? "";
      const account = [...this.accounts.values()]
        .find(({ id }) => id === actor || handleOf(id) === actor);
      if (!account) return invalid("Profile not found");
      return context.json({
        ...profileOf(account),
        ...{ description: account.profile, followersCount: 1, followsCount: 1, postsCount: 1 },
      });
    });
    this.app.get("/xrpc/app.bsky.feed.getPosts", (context) => {
      const uris = context.req.queries("uris") ?? [];
      const posts = uris.flatMap((uri) => {
        const post = this.#find(uri);
        return post ? [this.#postView(post)] : [];
      });
      return context.json({ posts });
    });
    this.app.get("/xrpc/app.bsky.feed.getLikes", (context) => {
      const { uri = "", cursor = "0", limit = "50" } = context.req.query();
      const all = [...this.#find(uri)?.likes ?? []];
      const { part, more } = pageOf(all, Number(cursor), Number(limit));
      const likes = part.map(([id, at]) => ({
        ...{ indexedAt: iso(at), createdAt: iso(at), actor: profileOf(this.account(id)) },
      }));
      return context.json({ uri, likes, ...more ? { cursor: String(+cursor + +limit) } : {} });
    });
    this.app.get("/xrpc/app.bsky.feed.getRepostedBy", (context) => {
      const { uri = "", cursor = "0", limit = "50" } = context.req.query();
      const all = [...this.#find(uri)?.reposts.keys() ?? []];
      const { part, more } = pageOf(all, Number(cursor), Number(limit));
      const repostedBy = part.map((id) => profileOf(this.account(id)));
      return context.json({ uri, repostedBy, ...more ? { cursor: String(+cursor + +limit) } : {} });
    });
    this.app.get("/img/:name", (context) => {
      const file = this.files.get(context.req.param("name"));
      return file ? context.body(file) : context.notFound();
    });
  }

  #find(uri: string): LocalPost | undefined {
    return [...this.posts.values()].find((post) => this.uriOf(post) === uri);
  }

  #postView(post: LocalPost) {
    return {
      uri: this.uriOf(post),
      cid: "bafyreib",
      author: profileOf(this.account(post.author)),
      record: {
        ...{ $type: "app.bsky.feed.post", text: post.text, createdAt: iso(post.at) },
        facets: [...post.text.matchAll(/https?:\S+/g)].map((found) => ({
          index: { byteStart: found.index, byteEnd: found.index + found[0].length },
          features: [{ $type: "app.bsky.richtext.facet#link", uri: found[0] }],
        })),
      },
      ...post.images.length === 0 ? {} : {
        embed: {
          $type: "app.bsky.embed.images#view",
          images: post.images.map((url) => ({ thumb: url, fullsize: url, alt: "" })),
        },
      },
      ...{ replyCount: 0, quoteCount: 0, labels: [], indexedAt: iso(post.at) },
      ...{ likeCount: post.likes.size, repostCount: post.reposts.size },
    };
  }
}

function profileOf({ id, since }: LocalAccount) {
  return { did: id, handle: handleOf(id), displayName: "", createdAt: iso(since), labels: [] };
}

function handleOf(did: string): string {
  return `${did.split(":").at(-1)}.bsky.example`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function invalid(message: string): Response {
  return Response.json({ error: "InvalidRequest", message }, { status: 400 });
}
