import process from "node:process";
import { Command } from "commander";
import { numberFlag } from "../cli/mod.ts";
import { runDemo } from "./demo.ts";

const TEXT = `
Starts a chain, two honest miners, one that skips half of its network calls, a validator and users,
all on this machine; shows what happens until the chain has paid. Nothing is left running.
`;

export function demoCommand(): Command {
  return new Command("demo")
    .description("The whole subnet on this machine, in about a minute.")
    .option("--keep", "leave it running, until Ctrl-C", false)
    .option("--out <folder>", "for images, receipts and logs (default: a temporary folder)")
    .option("--minutes <n>", "after which it is a failure", "5")
    .addHelpText("after", TEXT)
    .action(async (flags: { keep: boolean; out?: string; minutes: string }) => {
      const minutes = numberFlag("--minutes", flags.minutes, 0.1);
      const held = await runDemo({ keep: flags.keep, folder: flags.out, minutes });
      process.exitCode = held ? 0 : 1;
    });
}
