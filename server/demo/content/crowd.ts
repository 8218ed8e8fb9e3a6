import { bindingSentence } from "../../virality/mod.ts";
import type { Hotkey } from "../../../core/keys/mod.ts";
import type { Social } from "./social.ts";

const DAY_MS = 24 * 3600 * 1000;
/** Of accounts of people, and of those that are bought: opened today. */
const [OLD, FRESH] = [400 * DAY_MS, 0];

/** An account that says whose it is. @param account with its network's name. */
export async function openBound(
  social: Social,
  id: string,
  { account, creator }: { readonly account: string; readonly creator: Hotkey },
): Promise<void> {
  const profile = `I draw. ${await bindingSentence(account, creator)}`;
  social.open(id, { profile, since: Date.now() - OLD });
}

/** So many accounts like a post. */
export function like(
  social: Social,
  post: string,
  { count, bought = false, name }: {
    readonly count: number;
    readonly bought?: boolean;
    /** What their ids begin with. */
    readonly name: string;
  },
): void {
  const now = Date.now();
  const likes = social.posts.get(post)?.likes;
  for (let k = 0; k < count; k++) {
    social.open(`${name}${k}`, { since: now - (bought ? FRESH : OLD) });
    likes?.set(`${name}${k}`, now);
  }
}
