/** `deno task keys`: keys of applications, made, limited and revoked on the command line. */
export { keysCommand } from "./keys_command.ts";
