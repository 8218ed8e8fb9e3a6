import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import { lockFolder } from "./folder_lock.ts";
import { storageFailed } from "./storage_error.ts";

/** Only their owner looks into folders that are made here. */
export const PRIVATE_FOLDER = 0o700;

/**
 * Makes a folder for state, if it is not there, and takes it for this process until disposed. The
 * lock is free again when its process ends: waiting for it would hide a mistake.
 * @param uses what it is used for, such as the roles of a validator: two processes may share a
 * folder, but not a use of it.
 * @throws AppError `storage_failed` naming the folder, and the process that has it.
 */
export async function takeFolder(
  folder: string,
  uses: readonly string[],
): Promise<Disposable> {
  using stack = new DisposableStack();
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (cause) {
    throw await storageFailed(folder, cause, "--storage");
  }
  for (const use of uses) stack.use(await lockOnce(folder, use));
  return stack.move();
}

async function lockOnce(folder: string, use: string): Promise<Disposable> {
  let holder = "";
  try {
    return await lockFolder(join(folder, `.lock-${use}`), {
      ...{ doing: "keep state", namedBy: "--storage" },
      onWait: (pid) => holder = pid,
      signal: AbortSignal.abort(),
    });
  } catch (cause) {
    if (!holder) throw cause;
    throw new AppError(
      "storage_failed",
      `Cannot keep state in ${folder}: process ${holder} uses it as ${use}; end that, or give ` +
        "this one a folder of its own",
      { cause, field: "storage" },
    );
  }
}
