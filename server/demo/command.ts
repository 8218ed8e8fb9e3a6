import process from "node:process";
import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { numberFlag, wholeFlag } from "../cli/mod.ts";
import { runContentDemo } from "./content/mod.ts";
import { runDemo } from "./demo.ts";

const TEXT = `
Starts a chain, two honest miners, one that skips half of its network calls, a validator and users,
all on this machine; shows what happens until the chain has paid. Nothing is left running. With
--workers the first miner's images are made in a cluster, which needs nats-server.
`;

interface DemoFlags {
  readonly content: boolean;
  readonly keep: boolean;
  readonly out?: string;
  readonly minutes: string;
  readonly workers: string;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("The whole subnet on this machine, in about a minute.")
    .option("--content", "the second layer instead: creators, posts, batches, payouts", false)
    .option("--keep", "leave it running, until Ctrl-C", false)
    .option("--out <folder>", "for images, receipts and logs (default: a temporary folder)")
    .option("--minutes <n>", "after which it is a failure", "5")
    .option("--workers <n>", "of the first miner, on a NATS of their own; one of them dies", "0")
    .addHelpText("after", TEXT)
    .action(async (flags: DemoFlags) => {
      const minutes = numberFlag("--minutes", flags.minutes, 0.1);
      if (flags.content) {
        const say = (text: string) => console.log(text);
        const held = await runContentDemo({ say, folder: flags.out, minutes });
        process.exitCode = held ? 0 : 1;
        return;
      }
      const workers = wholeFlag("--workers", flags.workers, 0, 64);
      if (workers === 1) {
        throw new AppError(
          "invalid_request",
          "Cannot show that others go on: --workers is 1, and it is killed; name 2 or more",
        );
      }
      const held = await runDemo({ keep: flags.keep, folder: flags.out, minutes, workers });
      process.exitCode = held ? 0 : 1;
    });
}
