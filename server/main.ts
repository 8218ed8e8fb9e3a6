import process from "node:process";
import { enterUserFolder } from "./cli/mod.ts";
import { runProgram } from "./program.ts";

// Libraries keep timers that would hold the process for seconds; all of ours has ended.
process.exit(await runProgram(process.argv.slice(2), enterUserFolder));
