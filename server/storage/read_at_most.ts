import { readFile, stat } from "node:fs/promises";
import { counted } from "../../core/counted.ts";
import { AppError, reason } from "../../core/error.ts";

/**
 * A file that somebody names, which may be of any size.
 * @param max bytes; of a longer one nothing is read.
 * @param name in the sentence of an error.
 * @throws AppError `storage_failed`.
 */
export async function readAtMost(
  path: string,
  max: number,
  name = path,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await stat(path);
    if (size > max) throw new Error(`it has ${counted(size, "byte")}, more than ${max}`);
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${name}: ${reason(cause)}`, { cause });
  }
}
