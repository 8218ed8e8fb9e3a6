import { log } from "../schedule/mod.ts";
import { ringsOf } from "./rings.ts";

/** A published piece, as far as what it earns depends on it. */
export interface SpreadPiece {
  readonly id: string;
  readonly creator: string;
  /** Of its content, in [0, 1]: `contentScore`. */
  readonly score: number;
  /** The piece that it goes on from, if that is published too. */
  readonly parent?: string;
}

/** A post that carries a piece, by an account that is bound to the piece's creator. */
export interface SpreadPost {
  /** Its address, such as `at://did:plc:.../app.bsky.feed.post/...`. */
  readonly post: string;
  readonly piece: string;
  /** The network's name, a colon, and the account's id there. */
  readonly account: string;
}

/** An account that liked a post or passed it on; once a post. */
export interface Engagement {
  readonly post: string;
  readonly account: string;
  readonly kind: "like" | "repost";
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** When the account was opened, in milliseconds since 1970. */
  readonly since: number;
}

/** All that was read of what spreads: whoever has it finds the same numbers. */
export interface Spread {
  readonly pieces: readonly SpreadPiece[];
  readonly posts: readonly SpreadPost[];
  readonly engagements: readonly Engagement[];
  /** Creators by the accounts that are bound to them: those that have a post here. */
  readonly accounts: Readonly<Record<string, string>>;
}

export interface Earned {
  /** Points of each piece, lineage included; pieces without any are left out. */
  readonly pieces: Readonly<Record<string, number>>;
  readonly creators: Readonly<Record<string, number>>;
}

const DAY_MS = 24 * 3600 * 1000;
/** Days after which nothing of it counts any more; it counts less day by day. */
export const WINDOW_DAYS = 7;
/** Made from `log`, since engines differ in the last place of `Math.log2`. */
const LN2 = log(2);
/** Points of an author and a day at most: those of 63 accounts of full weight. */
const DAY_CAP = 6;
/** Days from which on an account counts, and from which on it counts in full. */
const [YOUNG, GROWN] = [7, 90];
/** Whoever passes it on shows it to others. */
const KIND_WEIGHT = { like: 1, repost: 2 } as const;
/** What counts of it where authors go round in a ring, each liking the next. */
const RING_SHARE = 0.1;
/** What a piece passes on of its points to the one that it goes on from. */
export const LINEAGE_SHARE = 0.2;
/** Ancestors that get something. */
const MAX_LINEAGE = 8;

/**
 * What each piece and each creator earns. An account counts by its age, once a day for an author whatever
 * it liked of theirs, less on each further day, and not at all for its owner; an author's day is worth
 * log2(1 + accounts), capped, and fades over seven days; pieces share it, each by its content's score.
 * Limits: old accounts that are bought count as people do, as far as the day's cap; who is behind an account
 * that no creator claims is unknown, and an account is as old as its network says.
 * @param now milliseconds since 1970.
 */
export function viralityOf(spread: Spread, now: number): Earned {
  const pieces = new Map(spread.pieces.map((piece) => [piece.id, piece]));
  const points = new Map<string, number>();
  for (const [day, authors] of byDay(weighed(spread, pieces, now))) {
    const fade = 1 - (dayOf(now) - day) / WINDOW_DAYS;
    for (const shares of authors.values()) {
      const engaged = sumOf(shares.values());
      const worth = fade * Math.min(log(1 + engaged) / LN2, DAY_CAP);
      for (const [id, share] of shares) {
        const { score } = pieces.get(id) ?? { score: 0 };
        add(points, id, worth * share / engaged * score);
      }
    }
  }
  return earnedOf(points, pieces);
}

/** What one account adds to one piece on one day. */
interface Weighed {
  readonly day: number;
  readonly author: string;
  readonly piece: string;
  readonly weight: number;
}

type Pieces = ReadonlyMap<string, SpreadPiece>;

function weighed(spread: Spread, pieces: Pieces, now: number): Weighed[] {
  const posts = new Map(spread.posts.map((post) => [post.post, post]));
  const creatorOf = new Map(Object.entries(spread.accounts));
  const seen = spread.engagements.flatMap((engagement) => {
    const { piece = "" } = posts.get(engagement.post) ?? {};
    const author = pieces.get(piece)?.creator;
    const day = dayOf(engagement.at);
    const age = dayOf(now) - day;
    if (author === undefined || age < 0 || age >= WINDOW_DAYS) return [];
    const fan = creatorOf.get(engagement.account);
    return fan === author ? [] : [{ ...engagement, piece, author, day, fan }];
  });
  const rings = ringsOf(seen.flatMap(({ fan, author }) => fan ? [[fan, author] as const] : []));
  const inRing = (fan: string | undefined, author: string) =>
    fan !== undefined && rings.has(fan) && rings.get(fan) === rings.get(author);
  const visits = new Map<string, number>();
  return strongestADay(seen).map(({ day, author, piece, account, fan, kind, at, since }) => {
    const visit = (visits.get(`${account}\n${author}`) ?? 0) + 1;
    visits.set(`${account}\n${author}`, visit);
    const ring = inRing(fan, author) ? RING_SHARE : 1;
    return { day, author, piece, weight: KIND_WEIGHT[kind] * ageWeight(at - since) * ring / visit };
  });
}

interface Seen extends Engagement {
  readonly day: number;
  readonly author: string;
}

/**
 * One of an account, an author and a day, in order of days: reposts before likes. The order is one of what was
 * read, not of how it was read: sums over it are the same to the last bit.
 */
function strongestADay<T extends Seen>(seen: readonly T[]): T[] {
  const ordered = seen.toSorted((a, b) =>
    a.day - b.day || KIND_WEIGHT[b.kind] - KIND_WEIGHT[a.kind] || a.at - b.at ||
    byText(a.post, b.post) || byText(a.account, b.account) || a.since - b.since
  );
  const first = new Map<string, T>();
  for (const each of ordered) {
    const key = `${each.day}\n${each.account}\n${each.author}`;
    if (!first.has(key)) first.set(key, each);
  }
  return [...first.values()];
}

/** By UTF-16 code units. */
function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** @param age in milliseconds, when it liked. */
function ageWeight(age: number): number {
  return Math.min(Math.max((age / DAY_MS - YOUNG) / (GROWN - YOUNG), 0), 1);
}

/** Day, author, piece: weights summed, those without any left out. */
function byDay(all: readonly Weighed[]): Map<number, Map<string, Map<string, number>>> {
  const days = new Map<number, Map<string, Map<string, number>>>();
  for (const { day, author, piece, weight } of all) {
    if (weight <= 0) continue;
    const authors = days.get(day) ?? new Map<string, Map<string, number>>();
    const shares = authors.get(author) ?? new Map<string, number>();
    add(shares, piece, weight);
    days.set(day, authors.set(author, shares));
  }
  return days;
}

/** Each piece passes its share on to its parent, which passes on of that in turn. */
function earnedOf(points: ReadonlyMap<string, number>, pieces: Pieces): Earned {
  const [byPiece, byCreator] = [new Map<string, number>(), new Map<string, number>()];
  for (const [id, own] of points) {
    let left = own;
    for (const [k, piece] of lineOf(id, pieces).entries()) {
      const last = k === MAX_LINEAGE || !pieces.has(piece.parent ?? "");
      const kept = last ? left : left * (1 - LINEAGE_SHARE);
      add(byPiece, piece.id, kept);
      add(byCreator, piece.creator, kept);
      left -= kept;
    }
  }
  return { pieces: Object.fromEntries(byPiece), creators: Object.fromEntries(byCreator) };
}

/** The piece, its parent, and so on. */
function lineOf(id: string, pieces: Pieces): SpreadPiece[] {
  const line: SpreadPiece[] = [];
  for (let next = pieces.get(id); next && line.length <= MAX_LINEAGE;) {
    line.push(next);
    next = pieces.get(next.parent ?? "");
  }
  return line;
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function add(sums: Map<string, number>, key: string, value: number): void {
  if (value > 0) sums.set(key, (sums.get(key) ?? 0) + value);
}
