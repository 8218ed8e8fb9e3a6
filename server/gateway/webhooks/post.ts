import { Buffer } from "node:buffer";
import { lookup } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import ipaddr from "ipaddr.js";

/** A call to somebody else's server. */
export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Addresses of a name, as the system finds them. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface PostOptions {
  /** Whether addresses count that the open internet does not route to. */
  readonly allowPrivate: boolean;
  /** Milliseconds that all of it has. */
  readonly timeoutMs: number;
  readonly resolve?: Resolve;
}

/**
 * Sends it once, to an address that was looked at: a name that leads elsewhere when it is asked again
 * changes nothing, redirects are not followed, and of the answer only the status is read.
 * @returns the status.
 * @throws Error saying why nothing was sent, or no answer came.
 */
export async function postOnce(
  { url, headers, body }: Post,
  { allowPrivate, timeoutMs, resolve = systemResolve }: PostOptions,
): Promise<number> {
  const { hostname, port, protocol, host, pathname, search } = url;
  const name = hostname.replace(/^\[|\]$/g, "");
  const address = pinned(await resolve(name), allowPrivate, name);
  const request = protocol === "https:" ? requestHttps : requestHttp;
  return await new Promise((answer, fail) => {
    const sending = request({
      ...{ host: address, port: port || undefined, method: "POST", path: pathname + search },
      ...(protocol === "https:" && !ipaddr.isValid(name) && { servername: name }),
      headers: { ...headers, host, "content-length": String(Buffer.byteLength(body)) },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    }, (response) => {
      answer(response.statusCode ?? 0);
      response.destroy();
    });
    sending.on("error", fail);
    sending.end(body);
  });
}

/** Whether the open internet routes to an address. */
function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  if (ip.range() !== "unicast") return false;
  // Of IPv6 only 2000::/3 is given out.
  return !(ip instanceof ipaddr.IPv6) || (ip.parts[0] & 0xe000) === 0x2000;
}

function pinned(addresses: readonly string[], allowPrivate: boolean, name: string): string {
  const found = addresses.find((address) => allowPrivate || isPublic(address));
  if (found !== undefined) return found;
  throw new Error(`${name} is ${addresses.join(", ") || "nowhere"}, no public address`);
}

const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);
