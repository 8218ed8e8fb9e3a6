/**
 * `deno task demo`: a chain, three miners of which one cheats, a validator and users, all real
 * processes on this machine, until the chain has paid.
 */
export { demoCommand } from "./command.ts";
