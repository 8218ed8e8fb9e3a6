import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ChainOptions } from "../chain/mod.ts";

/**
 * Where a server keeps what it must not lose.
 * @param subnet undefined for a server without a chain.
 * @param port where it is not the usual one: each server of a hotkey has a folder of its own.
 */
export function stateFolder(
  role: string,
  hotkey: string,
  subnet: ChainOptions | undefined,
  port?: number,
): string {
  const own = port === undefined ? hotkey : `${hotkey}-${port}`;
  return join(stateRoot(), role, subnet ? subnetName(subnet) : "no-chain", own);
}

/** Of all servers of this user. */
export function stateRoot(): string {
  const states = process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state");
  return join(states, "stepwise");
}

/** One hotkey may be on several subnets, and on several chains. */
function subnetName({ network, endpoint, netuid }: ChainOptions): string {
  const own = endpoint === undefined
    ? "finney"
    : new URL(endpoint).host.replaceAll(/[^\w.-]/g, "_");
  return `${network ?? own}-${netuid}`;
}
