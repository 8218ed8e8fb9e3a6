/**
 * `deno task backup` and `deno task restore`: what servers keep, copied while they run, and put back
 * where it is whole.
 */
export { backupCommand, restoreCommand } from "./command.ts";
