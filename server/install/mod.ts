/**
 * `deno task install`: a launcher, so that `stepwise` is a command in every folder.
 */
export { installCommand } from "./command.ts";
