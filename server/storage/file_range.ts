import { realpathSync } from "node:fs";
import { open } from "node:fs/promises";

/** The system reads less than 2 GiB at once, and `readFile` refuses a larger file. */
const MAX_READ = 2 ** 30;

/**
 * Bytes `start` (inclusive) to `end` (exclusive) of a file, of any size; fewer where it ends before.
 * @throws what the system says.
 */
export async function readFileRange(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Uint8Array<ArrayBuffer>> {
  await using file = await open(path);
  const bytes = new Uint8Array(end - start);
  let got = 0;
  while (got < bytes.length) {
    const length = Math.min(bytes.length - got, MAX_READ);
    const { bytesRead } = await file.read(bytes, got, length, start + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return bytes.subarray(0, got);
}

/** A file's own path, which links lead to; as it is where there is no such file. */
export function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
