import { homedir } from "node:os";
import { join } from "node:path";
import { AppError } from "../core/error.ts";

/** Where a server keeps what it must not lose. */
export function stateFolder(role: string, hotkey: string): string {
  const states = Deno.env.get("XDG_STATE_HOME") ?? join(homedir(), ".local", "state");
  return join(states, "stepwise", role, hotkey);
}

/** A line of JSON for each event. */
export function logLine(event: string, facts: Readonly<Record<string, unknown>>): void {
  console.error(JSON.stringify({ time: new Date().toISOString(), event, ...facts }));
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
