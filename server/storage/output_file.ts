import { dirname, join } from "node:path";
import { AppError, reason } from "../../core/error.ts";

/**
 * Writes a file so that it is there whole or not at all: beside its place, then renamed.
 * @param mode of a file that not everybody may read; the usual one without it.
 * @throws AppError `storage_failed` naming the path; nothing is left behind.
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  const partial = partialPath(path);
  try {
    await Deno.writeFile(partial, bytes, { mode });
    await Deno.rename(partial, path);
  } catch (cause) {
    await Deno.remove(partial).catch(() => {});
    throw cannotWrite(path, cause);
  }
}

/**
 * Tries, before the work is done, whether a file could be written.
 * @throws AppError `storage_failed` naming the path.
 */
export async function checkWritable(path: string): Promise<void> {
  const partial = partialPath(path);
  try {
    const there = await Deno.stat(path).catch(() => undefined);
    if (there?.isDirectory) throw new Error("it is a folder");
    await Deno.writeFile(partial, new Uint8Array());
    await Deno.remove(partial);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function partialPath(path: string): string {
  return join(dirname(path), `.stepwise-${Deno.pid}-${crypto.randomUUID()}.part`);
}

function cannotWrite(path: string, cause: unknown): AppError {
  const why = cause instanceof Deno.errors.NotFound
    ? `the folder ${dirname(path)} is not there`
    : reason(cause);
  return new AppError("storage_failed", `Cannot write ${path}: ${why}`, { cause });
}
