import { z } from "zod";
import {
  type AccountSeen,
  type EngagementSeen,
  type Network,
  openedAt,
  type PostSeen,
} from "./network.ts";
import { eachGood, readImage, readPage } from "./read_public.ts";

/** Of a list at once: the most that the lexicon takes. */
const PAGE = 100;
/** Pages of a list that are read: what lies beyond is past any day's cap. */
const MAX_PAGES = 10;

const profileSchema = z.looseObject({
  did: z.string().max(2048),
  description: z.string().max(4096).optional(),
  // Missing in profiles of accounts that never wrote one: such an account has no age.
  createdAt: z.string().max(64).optional(),
});

const postsSchema = z.looseObject({
  posts: z.array(z.looseObject({
    uri: z.string().max(4096),
    author: z.looseObject({ did: z.string().max(2048) }),
    record: z.looseObject({
      text: z.string().max(10_000).default(""),
      facets: z.array(z.looseObject({
        features: z.array(z.looseObject({ uri: z.string().max(4096).optional() })),
      })).optional(),
    }),
    embed: z.looseObject({
      images: z.array(z.looseObject({ fullsize: z.string().max(4096) })).optional(),
      external: z.looseObject({ uri: z.string().max(4096) }).optional(),
    }).optional(),
    indexedAt: z.string().max(64),
    likeCount: z.int().min(0).default(0),
    repostCount: z.int().min(0).default(0),
  })).max(25),
});

/** Of who liked it or passed it on: what is used alone, for strangers write the rest. */
const actorSchema = profileSchema.pick({ did: true, createdAt: true });
const likeSchema = z.looseObject({ indexedAt: z.string().max(64), actor: actorSchema });

const likesSchema = z.looseObject({
  cursor: z.string().max(4096).optional(),
  likes: eachGood(likeSchema, PAGE),
});

const repostsSchema = z.looseObject({
  cursor: z.string().max(4096).optional(),
  repostedBy: eachGood(actorSchema, PAGE),
});

type Actor = z.infer<typeof actorSchema>;

/**
 * Bluesky by its public AppView (lexicons `app.bsky.feed.getPosts`, `getLikes`, `getRepostedBy`,
 * `app.bsky.actor.getProfile`). Accounts are DIDs: a handle may change hands.
 * @param base of the AppView.
 */
export function bluesky({ base }: { readonly base: string }): Network {
  const call = <T>(
    method: string,
    schema: z.ZodType<T>,
    query: Record<string, string>,
    none?: readonly number[],
  ) => readPage(`${base}/xrpc/${method}?${new URLSearchParams(query)}`, schema, none);

  const profile = async (actor: string): Promise<AccountSeen | undefined> => {
    // 400 is its answer for an account that is none, was taken down, or is not shown.
    const page = await call("app.bsky.actor.getProfile", profileSchema, { actor }, [400, 404]);
    const { did, description = "" } = page?.body ?? {};
    return did === undefined ? undefined : { account: accountOf(did), profile: description };
  };

  /** All pages of a list, as far as they are read. */
  const listOf = async <T extends { readonly cursor?: string | undefined }>(
    method: string,
    schema: z.ZodType<T>,
    uri: string,
    seenIn: (body: T) => readonly EngagementSeen[],
  ): Promise<EngagementSeen[]> => {
    const found: EngagementSeen[] = [];
    let query: Record<string, string> = { uri, limit: String(PAGE) };
    for (let page = 0; page < MAX_PAGES; page++) {
      const { body } = await call(method, schema, query) ?? {};
      if (body) found.push(...seenIn(body));
      if (!body?.cursor) break;
      query = { ...query, cursor: body.cursor };
    }
    return found;
  };

  const engagementsOf = async (uri: string) => [
    ...await listOf(
      "app.bsky.feed.getLikes",
      likesSchema,
      uri,
      ({ likes }) =>
        likes.map(({ actor, indexedAt }) => ({
          ...seen(actor),
          ...{ kind: "like" as const, at: Date.parse(indexedAt) },
        })),
    ),
    ...await listOf(
      "app.bsky.feed.getRepostedBy",
      repostsSchema,
      uri,
      ({ repostedBy }) => repostedBy.map((actor) => ({ ...seen(actor), kind: "repost" as const })),
    ),
  ];

  return {
    async addressOf(url) {
      const [, actor, key] = POST.exec(url) ?? [];
      if (actor === undefined) return undefined;
      const { account } = await profile(actor) ?? {};
      return account && `at://${account.slice(NAME.length + 1)}/app.bsky.feed.post/${key}`;
    },
    async read(uri): Promise<PostSeen | undefined> {
      const { body } = await call("app.bsky.feed.getPosts", postsSchema, { uris: uri }) ?? {};
      // What is deleted is left out.
      const post = body?.posts.find((each) => each.uri === uri);
      const author = post && await profile(post.author.did);
      if (!post || !author) return undefined;
      const { record, embed } = post;
      const links = (record.facets ?? []).flatMap(({ features }) =>
        features.flatMap((feature) => feature.uri ?? [])
      );
      return {
        author,
        at: Date.parse(post.indexedAt),
        text: [record.text, ...links, embed?.external?.uri ?? ""].join("\n"),
        images: (embed?.images ?? []).map(({ fullsize }) => fullsize),
        engagements: await engagementsOf(uri),
        ...{ likes: post.likeCount, reposts: post.repostCount },
      };
    },
    image: readImage,
  };
}

const NAME = "bluesky";
/** As the web shows a post, or as the protocol names it; by a handle or a DID. */
const POST =
  /^(?:https:\/\/bsky\.app\/profile\/|at:\/\/)([A-Za-z0-9.:%_-]{3,300})\/(?:post|app\.bsky\.feed\.post)\/([A-Za-z0-9._~-]{1,64})$/;

function accountOf(did: string): string {
  return `${NAME}:${did}`;
}

function seen({ did, createdAt }: Actor) {
  return { account: accountOf(did), since: openedAt(createdAt) };
}
