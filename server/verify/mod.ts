/**
 * `deno task verify`: a receipt, its steps from a file or from its miner, and a verdict on the
 * command line.
 */
export { verifyCommand } from "./command.ts";
