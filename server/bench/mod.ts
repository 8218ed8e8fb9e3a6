/**
 * `deno task bench` and its subcommands: kernels, loop, agreement of hosts, what a check costs, the
 * miner's front, the door for applications, a validator's round, the chain client.
 */
export { benchCommand } from "./command.ts";
export { chromeRuntime } from "./chrome_runtime.ts";
