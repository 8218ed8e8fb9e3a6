/**
 * `deno task status`: what runs and how it goes, of a cluster and of neurons by their addresses, as
 * a table, live, or as JSON.
 */
export { statusCommand } from "./command.ts";
