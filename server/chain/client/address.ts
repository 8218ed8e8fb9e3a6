import { AppError } from "../../../core/error.ts";

/** An IP address as the chain keeps it. */
export interface ChainAddress {
  readonly ip: bigint;
  readonly type: 4 | 6;
}

/** @throws AppError `invalid_request` for what is no address. */
export function parseIp(text: string): ChainAddress {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (four?.every((part) => part <= 255)) {
    return { ip: BigInt(four.reduce((sum, part) => sum * 256 + part, 0)), type: 4 };
  }
  const host = text.includes(":") && URL.canParse(`http://[${text}]`);
  if (!host) {
    throw new AppError(
      "invalid_request",
      `Cannot serve: the IP address is ${text}, not an IPv4 or IPv6 one`,
    );
  }
  return { ip: BigInt(`0x${groupsOf(new URL(`http://[${text}]`).hostname).join("")}`), type: 6 };
}

/** The eight groups of an address that a URL has normalised, four digits each. */
function groupsOf(hostname: string): string[] {
  const [head, tail] = hostname.slice(1, -1).split("::")
    .map((part) => part.split(":").filter(Boolean));
  const missing = tail ? 8 - head.length - tail.length : 0;
  const groups = [...head, ...new Array<string>(missing).fill("0"), ...(tail ?? [])];
  return groups.map((group) => group.padStart(4, "0"));
}

export function formatIp({ ip, type }: ChainAddress): string {
  if (type === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((ip >> shift) & 255n)).join(".");
  }
  const groups = Array.from(
    { length: 8 },
    (_, k) => ((ip >> BigInt(112 - 16 * k)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/**
 * The chain refuses addresses that no other machine can reach, but for 0.0.0.0: that one takes an axon
 * back.
 * @throws AppError `invalid_request`.
 */
export function checkServable({ ip, type }: ChainAddress, port: number): void {
  const [loopback, highest] = type === 4 ? [0x7f000001n, 2n ** 32n - 1n] : [1n, 2n ** 128n - 1n];
  if (ip === 0n || ip === loopback || ip >= highest) {
    throw new AppError(
      "invalid_request",
      `Cannot serve: the address ${
        formatIp({ ip, type })
      } is one that no other machine can reach; ` +
        "--axon.external_ip names one that others can",
    );
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new AppError("invalid_request", `Cannot serve: the port is ${port}, not 1 to 65535`);
  }
}
