import { type Spread, type SpreadPiece, WINDOW_DAYS } from "../../core/content/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";
import { isBound } from "./binding.ts";
import { carriedBy, type CarriedPiece } from "./carries.ts";
import type { Network, PostSeen } from "./network.ts";
import type { NamedPost, Reading, SpreadStore } from "./spread_store.ts";

export interface ViralityParts {
  readonly store: SpreadStore;
  /** By name. */
  readonly networks: Readonly<Record<string, Network>>;
  readonly piece: (id: string) => CarriedPiece | undefined;
  /** Of our own mistakes. */
  readonly log?: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** Until which age of a post, and how often it is read then. */
const PACE: readonly (readonly [age: number, every: number])[] = [
  [2 * DAY, HOUR],
  [14 * DAY, 6 * HOUR],
  [90 * DAY, DAY],
];
/** After one that failed. */
const AGAIN = 15 * MINUTE;
/** A post that could not be read for so long counts no more: its network may have been switched off on purpose. */
const STALE = 2 * DAY;
/** Posts of one piece: more would earn nothing, and cost calls. */
const MAX_POSTS = 10;
/** Posts in one round of readings. */
const ROUND = 100;
/** Between a machine's clock and another's. */
const SKEW = 10 * MINUTE;

/** Posts of published pieces: named by their creators, and read again and again. */
export class Virality {
  readonly #parts: ViralityParts;
  /** The round of readings that goes on. */
  #round: Promise<number> | undefined;
  /** By server: when it takes calls again. */
  readonly #paused = new Map<string, number>();

  constructor(parts: ViralityParts) {
    this.#parts = parts;
  }

  /**
   * Takes a post of a piece, once its account is known to be the creator's. Anybody may name it.
   * @throws AppError `not_found` for a piece that is not published, `invalid_request` for a post that
   * is none, is deleted, is older than the piece, does not carry it, or whose account is not bound.
   */
  async name(id: string, url: string): Promise<NamedPost> {
    const { store, now } = this.#parts;
    const piece = this.#parts.piece(id);
    if (!piece) throw new AppError("not_found", "Cannot find the piece: none has this id");
    this.#checkRoom(id);
    const { name, network, post } = await this.#place(url);
    const before = this.#known(id, post);
    if (before) return before;
    const seen = await network.read(post) ?? refuse("it is deleted, or not public");
    const { proof, why } = await this.#judged(network, seen, piece);
    if (why !== undefined) refuse(why);
    // Others may have been named while it was read; from here on nothing is waited for.
    const since = this.#known(id, post);
    if (since) return since;
    this.#checkRoom(id);
    const at = now();
    const named = {
      ...{ post, network: name, piece: id, account: seen.author.account },
      ...{ creator: piece.creator, proof: proof ?? "", named: at },
    };
    store.add(named, seen, at + everyOf(0));
    return named;
  }

  #checkRoom(id: string): void {
    const { store } = this.#parts;
    if (store.postsOf(id).length >= MAX_POSTS) refuse(`${MAX_POSTS} are named already`);
  }

  /** A post that was named before, for this piece. */
  #known(id: string, post: string): NamedPost | undefined {
    const known = this.#parts.store.find(post);
    if (known && known.piece !== id) refuse(`it is named for ${known.piece} already`);
    return known;
  }

  async #place(url: string): Promise<{ name: string; network: Network; post: string }> {
    const { networks } = this.#parts;
    for (const [name, network] of Object.entries(networks)) {
      const post = await network.addressOf(url);
      if (post !== undefined) return { name, network, post };
    }
    return refuse(`its address is of none of the networks that are read: ${Object.keys(networks)}`);
  }

  /** @returns why it does not count, or what it carries the piece by. */
  async #judged(
    network: Network,
    seen: PostSeen,
    piece: CarriedPiece,
    known?: string,
  ): Promise<{ readonly proof?: string; readonly why?: string }> {
    if (seen.at < piece.madeAt - SKEW) return { why: "it is older than the picture" };
    const { author } = seen;
    if (!isBound(author, piece.creator, [author.profile, seen.text])) {
      return {
        why: `neither the profile of ${author.account} nor the post has the sentence by which ` +
          `${piece.creator} signs that the account is theirs`,
      };
    }
    const proof = await carriedBy(network, seen, piece, known);
    if (proof !== undefined) return { proof };
    return { why: `it has no link with ${piece.id} and no picture that is the piece's` };
  }

  /**
   * Reads what is due, each server's posts one after the other: one server's outage, limit or slowness leaves
   * the others alone. While a round goes on there is no second one.
   * @returns how many were read.
   */
  readDue(): Promise<number> {
    return this.#round ??= this.#readRound().finally(() => this.#round = undefined);
  }

  async #readRound(): Promise<number> {
    const due = this.#parts.store.due(this.#parts.now(), ROUND);
    const servers = Map.groupBy(due, serverOf).values();
    const read = await Promise.all(servers.map((posts) => this.#readAll(posts)));
    return read.reduce((sum, each) => sum + each, 0);
  }

  async #readAll(posts: readonly NamedPost[]): Promise<number> {
    let read = 0;
    for (const post of posts) if (await this.#readAgain(post)) read++;
    return read;
  }

  async #readAgain(named: NamedPost): Promise<boolean> {
    const { store, networks, now } = this.#parts;
    const at = now();
    const paused = this.#paused.get(serverOf(named)) ?? 0;
    if (paused > at) {
      store.delay(named.post, paused);
      return false;
    }
    try {
      return await this.#readOf(named, networks[named.network], at);
    } catch (error) {
      this.#missed(named, error, at);
      return false;
    }
  }

  /** What was not foreseen is a failed reading too: else this post would end each round. */
  #missed(named: NamedPost, error: unknown, at: number): void {
    const { store, log = console.error } = this.#parts;
    const later = error instanceof RetryLater ? at + 1000 * error.seconds : undefined;
    if (later !== undefined) this.#paused.set(serverOf(named), later);
    const known = error instanceof AppError;
    if (!known) log(error);
    if (known && error.code === "rate_limited") store.delay(named.post, later ?? at + AGAIN);
    else store.miss(named.post, reason(error), at, later ?? at + AGAIN);
  }

  async #readOf(named: NamedPost, network: Network | undefined, at: number): Promise<boolean> {
    const { store, piece } = this.#parts;
    const due = at + everyOf(at - named.named);
    const of = piece(named.piece);
    const seen = network && of && await network.read(named.post);
    if (!seen) {
      const why = !network ? "its network is not read" : of ? "deleted" : "its piece is gone";
      store.drop(named.post, why, at, due);
      return true;
    }
    const { why } = await this.#judged(network, seen, of, named.proof);
    if (why === undefined) store.read(named.post, seen, at, due);
    else store.drop(named.post, why, at, due);
    return true;
  }

  /** All posts of a piece, each with what was read of it and when. */
  posts(id: string): (NamedPost & { readonly readings: readonly Reading[] })[] {
    const { store } = this.#parts;
    return store.postsOf(id).map((post) => ({ ...post, readings: store.readings(post.post) }));
  }

  /** What counts at this moment, for `viralityOf`. @param pieces that are published. */
  spread(pieces: readonly SpreadPiece[]): Spread {
    const now = this.#parts.now();
    const { posts, engagements } = this.#parts.store.counting(
      now - STALE,
      now - (WINDOW_DAYS + 1) * DAY,
    );
    return {
      pieces,
      posts: posts.map(({ post, piece, account }) => ({ post, piece, account })),
      engagements,
      accounts: Object.fromEntries(posts.map(({ account, creator }) => [account, creator])),
    };
  }
}

/** Whom a reading asks: a post's address names its server, or its network has one for all. */
function serverOf({ post, network }: NamedPost): string {
  return post.startsWith("http") ? new URL(post).host : network;
}

/** Milliseconds to the next reading. */
function everyOf(age: number): number {
  return PACE.find(([until]) => age < until)?.[1] ?? 1000 * DAY;
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot take the post: ${why}`);
}
