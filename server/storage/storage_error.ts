import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, reason } from "../../core/error.ts";

const FULL = ["ENOSPC", "EDQUOT"];
const MISSING = ["ENOENT", "ENOTDIR"];
const FORBIDDEN = ["EACCES", "EPERM"];

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

/** "Cannot keep ...": what could not be written and, on a full disk, how much is missing. */
export async function storageFailed(
  path: string,
  cause: unknown,
  bytesNeeded?: number,
): Promise<AppError> {
  if (FULL.includes(codeOf(cause) ?? "")) return await diskFull(path, bytesNeeded, cause);
  const remedy = FORBIDDEN.includes(codeOf(cause) ?? "")
    ? ". Allow writing there, or set STEPWISE_CACHE to another folder"
    : "";
  const message = `Cannot keep ${path}: ${reason(cause)}${remedy}`;
  return new AppError("storage_failed", message, { cause });
}

/** "Cannot keep ...: the disk is full": needed and free bytes, and what to do. */
export async function diskFull(
  path: string,
  bytesNeeded: number | undefined,
  cause?: unknown,
): Promise<AppError> {
  const free = await freeBytes(path).catch(() => 0);
  const needed = bytesNeeded === undefined ? "" : `${bytesNeeded} more bytes are needed and `;
  return new AppError(
    "storage_failed",
    `Cannot keep ${path}: the disk is full, ${needed}${free} are free. Free some space, or set ` +
      "STEPWISE_CACHE to a folder on another disk",
    { cause },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
