/**
 * What spreads: posts of published pieces on networks that can be read, whose accounts are bound to
 * their creators, and who liked them or passed them on.
 *
 * ```ts
 * import { openHotkey } from "../../core/keys/mod.ts";
 * import { bindingSentence } from "./mod.ts";
 *
 * // What a creator puts into the profile of an account that is theirs.
 * const sentence = await bindingSentence("mastodon:mara@mastodon.social", openHotkey("07".repeat(32)));
 * console.assert(sentence.startsWith("stepwise:5"));
 * ```
 */
export { bindingSentence, signerOf } from "./binding.ts";
export { bluesky } from "./bluesky.ts";
export type { CarriedPiece } from "./carries.ts";
export { mastodon } from "./mastodon.ts";
export type { AccountSeen, EngagementSeen, Network, PostSeen } from "./network.ts";
export { SpreadStore } from "./spread_store.ts";
export { Virality } from "./virality.ts";
