import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { type AccountSeen, type EngagementSeen, type Network, openedAt } from "./network.ts";
import { eachGood, type Page, readImage, readPage } from "./read_public.ts";
import { textOfHtml } from "./text_of_html.ts";

/** Of a list at once: the most that its API gives. */
const PAGE = 80;
/** Pages of a list that are read: what lies beyond is past any day's cap. */
const MAX_PAGES = 12;

const accountSchema = z.looseObject({
  acct: z.string().min(1).max(500),
  note: z.string().max(20_000).default(""),
  fields: z.array(z.looseObject({ value: z.string().max(4096) })).max(20).default([]),
  created_at: z.string().max(64),
  bot: z.boolean().nullish(),
  suspended: z.boolean().nullish(),
});

const statusSchema = z.looseObject({
  created_at: z.string().max(64),
  visibility: z.string().max(40),
  content: z.string().max(500_000),
  account: accountSchema,
  media_attachments: z.array(z.looseObject({
    type: z.string().max(40),
    url: z.string().max(4096).nullish(),
  })).max(64).default([]),
  favourites_count: z.int().min(0),
  reblogs_count: z.int().min(0),
});

/** Of who liked it or passed it on: what is used alone, for strangers write the rest. */
const fanSchema = accountSchema.pick({ acct: true, created_at: true, bot: true, suspended: true });

type Account = z.infer<typeof accountSchema>;
type Fan = z.infer<typeof fanSchema>;

export interface MastodonOptions {
  /**
   * Origins of the servers that are believed, such as `https://mastodon.social`: who runs a server decides
   * what it says of accounts and their age. Accounts of other servers count for nothing.
   */
  readonly servers: readonly string[];
}

/** Mastodon, and what speaks its API (`/api/v1/statuses`, `favourited_by`, `reblogged_by`). */
export function mastodon({ servers }: MastodonOptions): Network {
  const origins = new Map(servers.map((server) => [new URL(server).host, new URL(server).origin]));

  const engagementsOf = async (status: string, host: string): Promise<EngagementSeen[]> => {
    const lists = [["favourited_by", "like"], ["reblogged_by", "repost"]] as const;
    const found: EngagementSeen[] = [];
    for (const [list, kind] of lists) {
      for (const account of await accountsOf(`${status}/${list}?limit=${PAGE}`)) {
        const name = nameOf(account, host);
        if (!origins.has(hostOf(name)) || account.bot || account.suspended) continue;
        found.push({ account: name, kind, since: openedAt(account.created_at) });
      }
    }
    return found;
  };

  return {
    addressOf(url) {
      const [, host, id] = POST.exec(url) ?? [];
      const origin = origins.get(host);
      return Promise.resolve(origin && `${origin}/api/v1/statuses/${id}`);
    },
    async read(address) {
      const { host } = new URL(address);
      if (!origins.has(host)) return undefined;
      const { body: status } = await readPage(address, statusSchema) ?? {};
      if (!status || !PUBLIC.includes(status.visibility)) return undefined;
      return {
        author: accountSeen(status.account, host),
        at: Date.parse(status.created_at),
        text: textOfHtml(status.content),
        images: status.media_attachments.flatMap(({ type, url }) =>
          type === "image" && url ? [url] : []
        ),
        engagements: await engagementsOf(address, host),
        ...{ likes: status.favourites_count, reposts: status.reblogs_count },
      };
    },
    image(url) {
      if (url.startsWith("https://") || origins.has(hostOfUrl(url))) return readImage(url);
      throw new AppError("download_failed", `Cannot read the picture: ${url} is not https`);
    },
  };
}

const NAME = "mastodon";
/** As the web shows a post, or as ActivityPub names it. */
const POST = /^https?:\/\/([^/\s]+)\/(?:@[^/\s]+|users\/[^/\s]+\/statuses)\/([0-9A-Za-z]{1,64})$/;
const PUBLIC = ["public", "unlisted"];

async function accountsOf(first: string): Promise<Fan[]> {
  const found: Fan[] = [];
  let next: string | undefined = first;
  for (let page = 0; page < MAX_PAGES && next !== undefined; page++) {
    const read: Page<Fan[]> | undefined = await readPage(next, eachGood(fanSchema, PAGE));
    found.push(...read?.body ?? []);
    next = read?.next;
  }
  return found;
}

/** A server leaves its own name out. */
function nameOf({ acct }: Pick<Account, "acct">, host: string): string {
  return `${NAME}:${acct.includes("@") ? acct : `${acct}@${host}`}`.toLowerCase();
}

function hostOf(account: string): string {
  return account.slice(account.lastIndexOf("@") + 1);
}

function hostOfUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}

function accountSeen(account: Account, host: string): AccountSeen {
  const values = account.fields.map(({ value }) => value);
  return {
    account: nameOf(account, host),
    profile: [account.note, ...values].map(textOfHtml).join("\n"),
  };
}
