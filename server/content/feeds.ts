import type { Listed } from "./publications.ts";

/** Where a feed is, as its readers reach it. */
interface Place {
  /** Of the server, without a slash at its end. */
  readonly base: string;
}

const TITLE = "Stepwise: published pictures";

/** What of a piece everybody may see. */
export function publicPiece(piece: Listed, { base }: Place) {
  return { ...piece, url: urlOf(piece.id, base) };
}

/** @see https://jsonfeed.org/version/1.1 */
export function jsonFeed(pieces: readonly Listed[], { base }: Place) {
  return {
    version: "https://jsonfeed.org/version/1.1",
    title: TITLE,
    home_page_url: base,
    feed_url: `${base}/v1/content/feed.json`,
    items: pieces.map(({ id, caption, at, creator, receipt }) => ({
      id,
      url: urlOf(id, base),
      image: urlOf(id, base),
      content_text: caption || String(receipt.request.prompt ?? ""),
      date_published: new Date(at).toISOString(),
      authors: [{ name: creator }],
    })),
  };
}

/** @see RFC 4287. */
export function atomFeed(pieces: readonly Listed[], { base }: Place): string {
  const updated = new Date(pieces[0]?.at ?? 0).toISOString();
  const entries = pieces.map(({ id, caption, at, creator, receipt }) =>
    `<entry><id>urn:stepwise:${id}</id><title>${escaped(caption || id)}</title>` +
    `<updated>${new Date(at).toISOString()}</updated>` +
    `<author><name>${escaped(creator)}</name></author>` +
    `<link rel="enclosure" type="${receipt.image.mediaType}" href="${escaped(urlOf(id, base))}"/>` +
    `<summary>${escaped(String(receipt.request.prompt ?? ""))}</summary></entry>`
  );
  return `<?xml version="1.0" encoding="utf-8"?>\n` +
    `<feed xmlns="http://www.w3.org/2005/Atom"><id>${escaped(base)}/v1/content</id>` +
    `<title>${TITLE}</title><updated>${updated}</updated>` +
    `<link rel="self" href="${escaped(base)}/v1/content/atom.xml"/>${entries.join("")}</feed>\n`;
}

function urlOf(id: string, base: string): string {
  return `${base}/v1/content/${id}/image`;
}

/** XML has no place for most control characters, not even as references. */
function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (letter) => named[letter]);
}
