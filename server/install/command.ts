import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { AppError, reason } from "../../core/error.ts";
import { scriptCommand, scriptFolders } from "../runtime/mod.ts";
import { isMissing, writeAtomically } from "../storage/mod.ts";
import { MARK, shellLauncher, windowsLauncher } from "./launcher.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const NAME = "stepwise";
const WINDOWS = process.platform === "win32";

interface InstallFlags {
  readonly to?: string;
  readonly remove: boolean;
}

export function installCommand(): Command {
  return new Command("install")
    .description(`Make ${NAME} a command that works in every folder: ${NAME} generate ...`)
    .option("--to <folder>", "where the command is put (default: ~/.deno/bin)")
    .option("--remove", "take it away again", false)
    .addHelpText(
      "after",
      "\nIt starts the program where it is now: after moving that, install it again.",
    )
    .action(async (flags: InstallFlags) => {
      const folder = resolve(flags.to ?? defaultFolder());
      const path = join(folder, WINDOWS ? `${NAME}.cmd` : NAME);
      if (flags.remove) await remove(path);
      else await install(folder, path);
    });
}

/** Where Deno puts commands, and its installer puts itself. */
function defaultFolder(): string {
  return join(process.env.DENO_INSTALL_ROOT || join(homedir(), ".deno"), "bin");
}

async function install(folder: string, path: string): Promise<void> {
  await refuseForeign(path);
  const [program, args] = scriptCommand(MAIN, []);
  const launch = {
    name: NAME,
    command: [program, ...args],
    folders: await scriptFolders(),
  };
  const script = WINDOWS ? windowsLauncher(launch) : shellLauncher(launch);
  await attempt(path, async () => {
    await mkdir(folder, { recursive: true });
    await writeAtomically(path, new TextEncoder().encode(script), 0o755);
    // The umask has taken from the mode.
    await chmod(path, 0o755);
  });
  console.log(`${path} is there. To take it away: deno task install --remove${toFlag(folder)}`);
  console.log(
    onPath(folder)
      ? `Try it: ${NAME} generate "a golden tau symbol"`
      : `Your PATH has not that folder yet: ${pathLine(folder)}`,
  );
}

async function remove(path: string): Promise<void> {
  const there = await refuseForeign(path);
  if (there) await attempt(path, () => rm(path));
  console.log(there ? `${path} is gone` : `${path} is not there`);
}

/**
 * @returns whether a launcher is there.
 * @throws AppError `invalid_request` for a file that is something else.
 */
async function refuseForeign(path: string): Promise<boolean> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return false;
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(error)}`, { cause: error });
  }
  if (text.includes(MARK)) return true;
  throw new AppError(
    "invalid_request",
    `Cannot write ${path}: a file that is not ours is there; --to names another folder`,
  );
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("storage_failed", `Cannot write ${path}: ${reason(cause)}`, { cause });
  }
}

function toFlag(folder: string): string {
  return folder === resolve(defaultFolder()) ? "" : ` --to ${folder}`;
}

function onPath(folder: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((each) => each && resolve(each) === folder);
}

function pathLine(folder: string): string {
  return WINDOWS ? `setx PATH "%PATH%;${folder}"` : `export PATH="${folder}:$PATH"`;
}
