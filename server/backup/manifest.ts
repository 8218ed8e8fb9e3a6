import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError, reason } from "../../core/error.ts";

/** The list of a backup's files, beside them. */
export const MANIFEST = "backup.json";
/** Of the list and of how the files lie. */
const FORMAT = 1;

const file = z.strictObject({
  /** Below the backup's folder, with slashes; nothing leads out of it. */
  path: z.string().refine((path) => !/^\/|\\|(^|\/)\.{1,2}(\/|$)/.test(path), "no path within it"),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifest = z.object({
  format: z.literal(FORMAT),
  /** Of Stepwise. */
  version: z.string(),
  /** Milliseconds since 1970. */
  at: z.int(),
  files: z.array(file),
});

export type BackupFile = Readonly<z.infer<typeof file>>;

/** What a backup has. */
export type Manifest = Readonly<z.infer<typeof manifest>>;

export function manifestOf(version: string, files: readonly BackupFile[]): Manifest {
  return { format: FORMAT, version, at: Date.now(), files: [...files] };
}

/** @throws AppError `invalid_request` for a folder that is no backup. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  try {
    return manifest.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new AppError(
      "invalid_request",
      `Cannot restore: ${path} does not say what a backup of this version has (${reason(cause)})`,
      { cause },
    );
  }
}
