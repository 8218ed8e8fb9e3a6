import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, reason } from "../../core/error.ts";

const FULL = ["ENOSPC", "EDQUOT"];
const MISSING = ["ENOENT", "ENOTDIR"];
/** A file on the way to a folder, or in its place. */
const BLOCKED = ["EEXIST", "ENOTDIR"];
const FORBIDDEN = ["EACCES", "EPERM", "EROFS"];

/** Whether an error says that a file, or a folder on the way to it, is not there. */
export function isMissing(error: unknown): boolean {
  return MISSING.includes(codeOf(error) ?? "");
}

/** Bytes that can still be written where a path is or will be. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== "ENOENT" || above === path) throw error;
    return await freeBytes(above);
  }
}

/** What names the folder that something is kept in: a variable of the environment, or a flag. */
export type NamedBy = "STEPWISE_CACHE" | "--storage";

/** "Cannot keep ...": what could not be written, and what to do. */
export async function storageFailed(
  path: string,
  cause: unknown,
  namedBy: NamedBy,
  bytesNeeded?: number,
): Promise<AppError> {
  const code = codeOf(cause) ?? "";
  if (FULL.includes(code)) return await diskFull(path, namedBy, bytesNeeded, cause);
  const message = `Cannot keep ${path}: ${whyNot(code) ?? reason(cause)}${remedyOf(code, namedBy)}`;
  return new AppError("storage_failed", message, { cause });
}

/** "Cannot keep ...: the disk is full": needed and free bytes, and what to do. */
export async function diskFull(
  path: string,
  namedBy: NamedBy,
  bytesNeeded: number | undefined,
  cause?: unknown,
): Promise<AppError> {
  const free = await freeBytes(path).catch(() => 0);
  const needed = bytesNeeded === undefined ? "" : `${bytesNeeded} more bytes are needed and `;
  return new AppError(
    "storage_failed",
    `Cannot keep ${path}: the disk is full, ${needed}${free} are free. Free some space, or ` +
      other(namedBy, "a folder on another disk"),
    { cause },
  );
}

function whyNot(code: string): string | undefined {
  return BLOCKED.includes(code) ? "a file is where a folder has to be" : undefined;
}

function remedyOf(code: string, namedBy: NamedBy): string {
  if (BLOCKED.includes(code)) return `. Move it away, or ${other(namedBy, "another folder")}`;
  if (!FORBIDDEN.includes(code)) return "";
  return `. Allow writing there, or ${other(namedBy, "another folder")}`;
}

function other(namedBy: NamedBy, folder: string): string {
  return namedBy === "--storage" ? `name ${folder} with --storage` : `set ${namedBy} to ${folder}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
