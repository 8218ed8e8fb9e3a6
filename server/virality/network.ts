/** An account as its network shows it. */
export interface AccountSeen {
  /** The network's name, a colon, and the id that it keeps for good. */
  readonly account: string;
  /** What its owner says of it, as text. */
  readonly profile: string;
}

/** Somebody who liked a post or passed it on. */
export interface EngagementSeen {
  readonly account: string;
  readonly kind: "like" | "repost";
  /** When, where the network says so: milliseconds since 1970. */
  readonly at?: number;
  /** When the account was opened. */
  readonly since: number;
}

/** A post as it was read at one moment. */
export interface PostSeen {
  readonly author: AccountSeen;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its words and the addresses that it links to. */
  readonly text: string;
  /** Addresses of its pictures. */
  readonly images: readonly string[];
  readonly engagements: readonly EngagementSeen[];
  /** As the network counts, also what was not read one by one. */
  readonly likes: number;
  readonly reposts: number;
}

/** A network whose posts can be read. Bluesky and Mastodon are here; a bot's server may be another. */
export interface Network {
  /** The address that a post is known by, of what people copy; undefined for what is no post of this network. */
  addressOf(url: string): Promise<string | undefined>;
  /**
   * @param address of {@link addressOf}.
   * @returns undefined for a post that is deleted, or hidden from the public.
   * @throws AppError `download_failed` where it cannot be read; RetryLater where it takes no more calls for now.
   */
  read(address: string): Promise<PostSeen | undefined>;
  /** A picture of a post. @throws as {@link read}. */
  image(url: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** The latest moment of a Date: an account of unknown age is as young as can be. */
const NEVER = 8.64e15;

/** When an account was opened, of what its network says. */
export function openedAt(text: string | undefined): number {
  const at = Date.parse(text ?? "");
  return Number.isFinite(at) ? at : NEVER;
}
