import { homedir } from "node:os";
import { join } from "node:path";
import { AppError } from "../core/error.ts";
import type { ChainOptions } from "./chain/mod.ts";

/**
 * Where a server keeps what it must not lose.
 * @param subnet undefined for a server without a chain.
 */
export function stateFolder(
  role: string,
  hotkey: string,
  subnet: ChainOptions | undefined,
): string {
  const states = Deno.env.get("XDG_STATE_HOME") ?? join(homedir(), ".local", "state");
  return join(states, "stepwise", role, subnet ? subnetName(subnet) : "no-chain", hotkey);
}

/** One hotkey may be on several subnets, and on several chains. */
function subnetName({ network, endpoint, netuid }: ChainOptions): string {
  const own = endpoint === undefined
    ? "finney"
    : new URL(endpoint).host.replaceAll(/[^\w.-]/g, "_");
  return `${network ?? own}-${netuid}`;
}

/** Hears what happens in a server. */
export type Log = (event: string, facts: Readonly<Record<string, unknown>>) => void;

/** A line of JSON for each event. */
export const logLine: Log = (event, facts) => console.error(eventLine(event, facts));

export function eventLine(event: string, facts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ time: new Date().toISOString(), event, ...facts });
}

/** Resolves at SIGTERM or Ctrl-C, so that what runs can finish; a second one ends at once. */
export function stopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked) Deno.exit(130);
      asked = true;
      resolve();
    });
  }
  return promise;
}

/** @throws AppError `invalid_request` naming the flag. */
export function wholeFlag(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  return refuse(flag, text, `a whole number from ${least} to ${most}`);
}

/** Pixels of an image's side. @throws AppError `invalid_request` naming the flag. */
export function sideFlag(flag: string, text: string, least: number, most: number): number {
  const pixels = wholeFlag(flag, text, least, most);
  if (pixels % 8 === 0) return pixels;
  return refuse(flag, text, "a multiple of 8");
}

/** @throws AppError `invalid_request` naming the flag. */
export function numberFlag(flag: string, text: string, least: number, most = Infinity): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  return refuse(
    flag,
    text,
    most === Infinity ? `a number from ${least} on` : `${least} to ${most}`,
  );
}

function refuse(flag: string, text: string, range: string): never {
  throw new AppError("invalid_request", `Cannot start: ${flag} is ${text}, not ${range}`);
}
