/**
 * `deno task demo --content`: creators, posts, batches and payouts on this machine, with Bluesky and
 * Mastodon played in their APIs' shapes.
 */
export { runContentDemo } from "./content_demo.ts";
