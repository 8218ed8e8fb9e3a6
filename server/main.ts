import { Command, CommanderError } from "commander";
import { AppError } from "../core/error.ts";
import { benchCommand } from "./bench/mod.ts";
import { calibrateCommand } from "./calibrate/mod.ts";
import { generateCommand } from "./generate.ts";
import { verifyCommand } from "./verify/mod.ts";

const program = new Command("deno task")
  .description("Stepwise: image generation whose every diffusion step anyone can check.")
  .addCommand(generateCommand())
  .addCommand(verifyCommand())
  .addCommand(benchCommand())
  .addCommand(calibrateCommand());

/** 2: what was asked for cannot be done, and the message says why. 130: Ctrl-C. 1: our mistake. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof AppError)) return 1;
  return error.code === "cancelled" ? 130 : 2;
}

for (const command of [program, ...program.commands]) command.exitOverride();
try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  if (error instanceof AppError) console.error(`${error.message}.`);
  else if (!(error instanceof CommanderError)) console.error(error);
  Deno.exit(exitCodeOf(error));
}
