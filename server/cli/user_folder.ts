import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { AppError, reason } from "../../core/error.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Goes where the user stands, for names of files are from there: `deno task` runs commands in the
 * project's root, and says in `INIT_CWD` where it was called.
 * @throws AppError `storage_failed` for a folder that cannot be entered.
 */
export function enterUserFolder(): void {
  const folder = process.env.INIT_CWD;
  // Elsewhere this is no command of a task, and the variable that of a process around it.
  if (!folder || realpathSync(process.cwd()) !== realpathSync(ROOT)) return;
  try {
    process.chdir(folder);
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot enter ${folder}: ${reason(cause)}`, { cause });
  }
}
