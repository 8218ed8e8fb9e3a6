import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";

/** A program and its arguments, for `node:child_process`. */
export type ScriptCommand = readonly [program: string, args: readonly string[]];

/** Runs a TypeScript file in a process of its own, with all rights. */
export function scriptCommand(file: string, args: readonly string[]): ScriptCommand {
  return [process.execPath, ["run", "-A", file, ...args]];
}

/**
 * The same from a running program. The packages are there, as it runs: that Deno looks each of them
 * over again, under a lock, would double what a start takes.
 */
export function childCommand(file: string, args: readonly string[]): ScriptCommand {
  return [process.execPath, ["run", "--node-modules-dir=manual", "-A", file, ...args]];
}

/** Runs a module's text; packages are found from the working folder. */
export function snippetCommand(code: string): ScriptCommand {
  return [process.execPath, ["eval", code]];
}

/**
 * Variables with which a script runs as it does here, for any user: packages are found in
 * this cache, which another home folder does not have.
 */
export async function scriptFolders(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, ["info", "--json"]);
  return { DENO_DIR: String(JSON.parse(stdout).denoDir) };
}

/** For reports: `Deno 2.9.6`. */
export function runtimeVersion(): string {
  return `Deno ${Deno.version.deno}`;
}
