/** `deno task keys`. */
export { keysCommand } from "./keys_command.ts";
