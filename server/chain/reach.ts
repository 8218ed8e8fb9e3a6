import ipaddr from "ipaddr.js";
import { AppError } from "../../core/error.ts";

/** Whether the open internet routes to an address: not to private, local, shared or reserved ones. */
export function isPublicIp(ip: string): boolean {
  return ipaddr.isValid(ip) && ipaddr.process(ip).range() === "unicast";
}

/** Where an axon is reached; undefined for one that the open internet does not route to. */
export function axonUrl(
  { ip, port }: { readonly ip: string; readonly port: number },
  allowPrivate: boolean,
): string | undefined {
  if (!allowPrivate && !isPublicIp(ip)) return undefined;
  return `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}

/**
 * Whether a chain is of this machine or this network alone, where private addresses are usual. The
 * node's address says nothing of it: many validators run a node of the public chain of their own.
 * @param chainType as the node states it (`system_chainType`).
 */
export function isLocalChain(chainType: string): boolean {
  return chainType === "Development" || chainType === "Local";
}

/** Where a miner is to be reached, and what it is bound to. */
export interface Reach {
  /** As typed: IPv6 with or without brackets. */
  readonly externalIp: string;
  readonly boundTo: string;
  /** Whether addresses count that the open internet does not route to. */
  readonly allowPrivate: boolean;
}

/**
 * @returns the address without brackets.
 * @throws AppError `invalid_request` for one at which no validator would find this miner.
 */
export function checkReach({ externalIp, boundTo, allowPrivate }: Reach): string {
  const ip = externalIp.replace(/^\[(.*)\]$/, "$1");
  if (!ipaddr.isValid(ip)) return ip;
  if (!allowPrivate && !isPublicIp(ip)) {
    refuse(
      externalIp,
      "which the open internet does not route to; give the address that others see, or " +
        "--axon.allow_private on a chain of your own",
    );
  }
  if (ipaddr.parse(ip).kind() === "ipv6" && ipaddr.isValid(boundTo) && !boundTo.includes(":")) {
    refuse(externalIp, `and --axon.ip ${boundTo} takes IPv4 alone; give --axon.ip ::`);
  }
  return ip;
}

function refuse(ip: string, why: string): never {
  throw new AppError("invalid_request", `Cannot serve: --axon.external_ip is ${ip}, ${why}`);
}
