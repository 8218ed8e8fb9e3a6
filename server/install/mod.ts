/**
 * `deno task install`: a launcher, so that `stepwise` is a command in every folder; `deno task update`:
 * whether there is a newer version.
 */
export { installCommand } from "./command.ts";
export { updateCommand } from "./update_command.ts";
