import { AppError } from "../../core/error.ts";

/** Hosts that only this machine or its own network can reach. */
const PRIVATE = [
  /^localhost$/i,
  /\.(local|internal|lan|home\.arpa)$/i,
  /^127\./,
  /^0\./,
  /^10\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^169\.254\./,
  /^\[(::1?|f[cd][0-9a-f]{2}:.*|fe80:.*|::ffff:.*)\]$/i,
];

/**
 * A miner's address out of a link, which anybody may have made. A page of the open internet does
 * not send its reader's browser into the reader's own network.
 * @param page the page's own address.
 * @throws AppError `invalid_request`.
 */
export function checkMinerUrl(text: string, page: string): string {
  if (text.length > 2000 || !URL.canParse(text)) refuse(text, "it is no address");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") refuse(text, "it is not http(s)");
  if (url.username || url.password) refuse(text, "it holds a name or password");
  const own = new URL(page);
  if (isPrivate(url.hostname) && !isPrivate(own.hostname)) {
    refuse(text, "it is in a private network, and this page is not");
  }
  if (url.protocol === "http:" && own.protocol === "https:" && !isPrivate(url.hostname)) {
    refuse(
      text,
      "it is not encrypted, and browsers let no https page ask it; open this page by http",
    );
  }
  return url.href;
}

function isPrivate(hostname: string): boolean {
  return PRIVATE.some((pattern) => pattern.test(hostname));
}

function refuse(text: string, why: string): never {
  throw new AppError("invalid_request", `Cannot ask ${text.slice(0, 200)}: ${why}`);
}
