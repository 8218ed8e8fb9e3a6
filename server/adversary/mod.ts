/**
 * `deno task adversary`: every cheat of `core/adversary` against the checks, as table, JSON and
 * plots.
 */
export { adversaryCommand } from "./command.ts";
