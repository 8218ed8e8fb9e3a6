import { type Context, Hono } from "hono";
import { type LocalAccount, type LocalPost, pageOf, Social } from "./social.ts";

/**
 * A Mastodon server in one process, in the shapes of its API's documentation (statuses, favourited_by,
 * reblogged_by): for tests and the demonstration.
 */
export class LocalMastodon extends Social {
  readonly app = new Hono();

  constructor() {
    super();
    this.app.use("/api/*", async (_context, next) => {
      const refused = this.refusal((seconds) =>
        Response.json({ error: "Too many requests" }, {
          status: 429,
          headers: {
            "x-ratelimit-limit": "300",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": iso(Date.now() + 1000 * seconds),
          },
        })
      );
      if (refused) return refused;
      await next();
    });
    this.#routes();
  }

  #routes(): void {
    this.app.get("/api/v1/statuses/:id", (context) => {
      const post = this.posts.get(context.req.param("id"));
      return post ? context.json(this.#statusOf(post)) : missing();
    });
    this.app.get(
      "/api/v1/statuses/:id/favourited_by",
      (context) => this.#list(context, ({ likes }) => likes),
    );
    this.app.get(
      "/api/v1/statuses/:id/reblogged_by",
      (context) => this.#list(context, ({ reposts }) => reposts),
    );
    this.app.get("/media/:name", (context) => {
      const file = this.files.get(context.req.param("name"));
      return file ? context.body(file) : context.notFound();
    });
  }

  /** Pages by the `Link` header, whose `max_id` is of the server's own counting. */
  #list(context: Context, listed: (post: LocalPost) => ReadonlyMap<string, number>): Response {
    const post = this.posts.get(context.req.param("id") ?? "");
    if (!post) return missing();
    const { limit = "40", max_id: from = "0" } = context.req.query();
    const { part, more } = pageOf([...listed(post).keys()], Number(from), Number(limit));
    const next = new URL(context.req.url);
    next.searchParams.set("max_id", String(+from + +limit));
    const previous = new URL(context.req.url);
    previous.searchParams.set("since_id", from);
    const links = [...more ? [`<${next}>; rel="next"`] : [], `<${previous}>; rel="prev"`];
    return context.json(part.map((id) => accountOf(this.account(id))), 200, {
      link: links.join(", "),
    });
  }

  #statusOf(post: LocalPost) {
    return {
      ...{ id: post.id, created_at: iso(post.at), edited_at: null, visibility: "public" },
      ...{ sensitive: false, spoiler_text: "", language: "en", uri: `/statuses/${post.id}` },
      content: `<p>${htmlOf(post.text)}</p>`,
      account: accountOf(this.account(post.author)),
      media_attachments: post.images.map((url, k) => ({
        ...{ id: String(k), type: "image", url, preview_url: url, remote_url: null },
        description: null,
      })),
      ...{ replies_count: 0, card: null, poll: null, mentions: [], tags: [], emojis: [] },
      ...{ favourites_count: post.likes.size, reblogs_count: post.reposts.size },
    };
  }
}

function accountOf({ id, profile, since, bot = false }: LocalAccount) {
  return {
    ...{ id, username: id.split("@")[0], acct: id, display_name: "", locked: false, bot },
    // Days alone: its API gives no hour.
    created_at: `${iso(since).slice(0, 10)}T00:00:00.000Z`,
    note: `<p>${htmlOf(profile)}</p>`,
    ...{ followers_count: 1, following_count: 1, statuses_count: 1, emojis: [], fields: [] },
  };
}

/** Addresses as links, whose beginning and end are hidden. */
function htmlOf(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replace(
    /(https?:\/\/)(\S+)/g,
    (all, scheme, rest) =>
      `<a href="${all}" rel="nofollow noopener" target="_blank"><span class="invisible">${scheme}` +
      `</span><span class="ellipsis">${rest.slice(0, 20)}</span><span class="invisible">` +
      `${rest.slice(20)}</span></a>`,
  );
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function missing(): Response {
  return Response.json({ error: "Record not found" }, { status: 404 });
}
