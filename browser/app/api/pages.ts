/** The three rooms, and the pages that are about them. */
const PAGES = ["verify", "create", "explore", "strength", "browser"] as const;

export type Page = typeof PAGES[number];

/** How pages were called once: links to them are out there. */
const FORMER: Readonly<Record<string, Page>> = { check: "verify", generate: "create" };

/** Which page an address shows, by its hash: `#/verify?receipt=...`. */
export function pageOf(hash: string): Page {
  const name = /^#\/([a-z]+)/.exec(hash)?.[1] ?? "";
  return PAGES.find((page) => page === name) ?? FORMER[name] ?? "verify";
}

/** What an address leads to in its page. */
export function parametersOf(hash: string): URLSearchParams {
  return new URLSearchParams(hash.split("?")[1] ?? "");
}
