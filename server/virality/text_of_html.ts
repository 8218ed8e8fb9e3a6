const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/**
 * The words of a post in Mastodon's HTML, and the addresses that it links to. A long address is shown in
 * parts, which join again without their tags.
 */
export function textOfHtml(html: string): string {
  const links = [...html.matchAll(/\bhref="([^"]*)"/g)].map(([, address]) => address);
  const words = html.replace(/<br\s*\/?>|<\/p>/g, "\n").replace(/<[^>]*>/g, "");
  return [words, ...links].map(decoded).join("\n");
}

function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{1,8}));/gi,
    (all, ten, hex, name) => {
      const code = ten ? Number(ten) : hex ? parseInt(hex, 16) : undefined;
      if (code === undefined) return NAMED[name] ?? all;
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}
