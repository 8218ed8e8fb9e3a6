import { AppError } from "../../../core/error.ts";

/** Names and IPv4 addresses that only this machine or its own network can reach, if anything. */
const PRIVATE = [
  // A name of one label is looked up in the reader's own domain first.
  /^[^.]+$/,
  /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa)$/,
  // This network, private ones, those of carriers, benchmarks, multicast and what is reserved.
  /^(0|10|127)(\.\d+){3}$/,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])(\.\d+){2}$/,
  /^169\.254(\.\d+){2}$/,
  /^172\.(1[6-9]|2\d|3[01])(\.\d+){2}$/,
  /^192\.(168|0\.0)(\.\d+){1,2}$/,
  /^198\.1[89](\.\d+){2}$/,
  /^(22[4-9]|2[34]\d|25[0-5])(\.\d+){3}$/,
];

/**
 * IPv6 addresses of the open internet: 2000::/3, without what carries an IPv4 address of any kind
 * (6to4, Teredo). Mapped and translated ones (`::ffff:`, `64:ff9b::`) lie outside of it.
 */
const PUBLIC_IPV6 = /^\[(?!2002:|2001:0?:)[23][0-9a-f]{3}:/;

/**
 * A miner's or validator's address out of a link, which anybody may have made. A page of the open
 * internet does not send its reader's browser into the reader's own network. A page that is itself
 * on this machine or in a private network may: its server is in there already, and the miner is
 * most likely close to it. An https page fetches by https.
 * @param page the page's own address.
 * @returns the folder that the API's paths are relative to: it ends with a slash.
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
  // Browsers let no https page fetch by http, but from this machine; the miner may have both.
  if (url.protocol === "http:" && own.protocol === "https:" && !isPrivate(url.hostname)) {
    url.protocol = "https:";
  }
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}

/** @param hostname as `URL` has it: in lower case, addresses in their one spelling. */
function isPrivate(hostname: string): boolean {
  if (hostname.startsWith("[")) return !PUBLIC_IPV6.test(hostname);
  const name = hostname.replace(/\.$/, "");
  return PRIVATE.some((pattern) => pattern.test(name));
}

function refuse(text: string, why: string): never {
  throw new AppError("invalid_request", `Cannot ask ${text.slice(0, 200)}: ${why}`);
}
