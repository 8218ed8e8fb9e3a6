/** An account of a network that is played here. */
export interface LocalAccount {
  /** A DID, or a name; of another server with `@` and its host. */
  readonly id: string;
  /** What it says of itself, as text. */
  profile: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly bot?: boolean;
}

export interface LocalPost {
  readonly id: string;
  readonly author: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  text: string;
  /** Addresses of its pictures. */
  readonly images: readonly string[];
  readonly likes: Map<string, number>;
  readonly reposts: Map<string, number>;
}

/** What goes wrong with a network, for a time. */
export interface Trouble {
  /** Calls until it takes no more. */
  callsLeft: number;
  /** Seconds until it takes calls again. */
  pauseSeconds: number;
  /** Answers each call with an error of its own. */
  down: boolean;
}

/** Accounts, posts and who liked them: what both networks keep. */
export class Social {
  readonly accounts = new Map<string, LocalAccount>();
  readonly posts = new Map<string, LocalPost>();
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly trouble: Trouble = { callsLeft: Infinity, pauseSeconds: 60, down: false };
  /** Calls that were answered. */
  calls = 0;

  open(id: string, more: Partial<LocalAccount> = {}): LocalAccount {
    const account = { id, profile: "", since: 0, ...more };
    this.accounts.set(id, account);
    return account;
  }

  post(id: string, author: string, more: Partial<LocalPost> = {}): LocalPost {
    const post = { id, author, at: Date.now(), text: "", images: [], ...more };
    const whole = { likes: new Map<string, number>(), reposts: new Map<string, number>(), ...post };
    this.posts.set(id, whole);
    return whole;
  }

  account(id: string): LocalAccount {
    return this.accounts.get(id) ?? this.open(id);
  }

  /** @returns what a call is answered instead, as its network says it. */
  refusal(limited: (seconds: number) => Response): Response | undefined {
    if (this.trouble.down) return new Response("upstream is gone", { status: 502 });
    if (this.trouble.callsLeft <= 0) return limited(this.trouble.pauseSeconds);
    this.trouble.callsLeft--;
    this.calls++;
    return undefined;
  }
}

/** A part of a list, and whether more follows. */
export function pageOf<T>(all: readonly T[], from: number, limit: number) {
  return { part: all.slice(from, from + limit), more: from + limit < all.length };
}
