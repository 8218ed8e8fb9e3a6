import { runProgram } from "./program.ts";

// Libraries keep timers that would hold the process for seconds; all of ours has ended.
Deno.exit(await runProgram(Deno.args));
