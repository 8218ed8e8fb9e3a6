import { Command } from "commander";
import { counted } from "../../core/counted.ts";
import { stateRoot, VERSION } from "../neuron/mod.ts";
import { backUp } from "./backup.ts";
import type { Manifest } from "./manifest.ts";
import { restore } from "./restore.ts";

const EXAMPLES = `
Examples:
  deno task backup /mnt/backups/2026-11-27
  deno task restore /mnt/backups/2026-11-27 --storage /var/lib/stepwise
`;

const STATE = "of servers (default: all in the user's state folder)";

export function backupCommand(): Command {
  return new Command("backup")
    .description(
      "Copy what servers keep, also while they run: results, jobs, keys of applications.",
    )
    .argument("<folder>", "that is made")
    .option("--storage <folder>", STATE)
    .option("--transcripts", "copy the steps of images too, which are kept for minutes", false)
    .addHelpText("after", EXAMPLES)
    .action(async (to: string, flags: { storage?: string; transcripts: boolean }) => {
      const { storage: from = stateRoot(), transcripts } = flags;
      say("backed up", await backUp({ from, to, transcripts, version: VERSION }), to);
    });
}

export function restoreCommand(): Command {
  return new Command("restore")
    .description("Put a backup back where nothing is, once every file of it is whole.")
    .argument("<folder>", "that deno task backup made")
    .option("--storage <folder>", STATE)
    .addHelpText("after", EXAMPLES)
    .action(async (from: string, { storage: to = stateRoot() }: { storage?: string }) => {
      say("restored", await restore(from, to), to);
    });
}

function say(what: string, { files, version, at }: Manifest, where: string): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  console.log(
    `${counted(files.length, "file")} ${what} to ${where}: ${(bytes / 1e6).toFixed(1)} MB, of ` +
      `Stepwise ${version}, ${new Date(at).toISOString()}`,
  );
}
