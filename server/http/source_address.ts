import { isIPv4 } from "node:net";

const addresses = new WeakMap<Request, string>();

/** Remembers who sent a request. */
export function noteSource(
  request: Request,
  remote: string | undefined,
  forwarded: string | string[] | undefined,
): void {
  addresses.set(request, sourceOf(remote ?? "", forwarded));
}

/** The address that a request came from; what has none, as in a test, is one source. */
export function sourceAddress(request: Request): string {
  return addresses.get(request) ?? "";
}

/** Whether it is this machine, on which a reverse proxy may stand. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

/** A proxy on this machine appends the address that it was asked from; others could write anything. */
function sourceOf(remote: string, forwarded: string | string[] | undefined): string {
  const last = forwarded?.toString().split(",").at(-1)?.trim();
  return networkOf(isLoopback(remote) && last ? last : remote);
}

/** A host has a whole /64 of IPv6. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/, "");
  if (isIPv4(plain) || !plain.includes(":") || plain.startsWith("::")) return plain;
  return plain.split(":").slice(0, 4).join(":");
}
