import { open } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";

/** Files to check, by their kind. */
export interface GivenFiles {
  readonly receipt: string;
  readonly transcript?: string;
  readonly image?: string;
}

type Kind = keyof GivenFiles;

/** Bytes that show what a file is. */
const HEAD = 256;

/**
 * What each file is, by how it begins: their order and names say nothing.
 * @param named those that flags name, which are taken for what the flag says.
 * @throws AppError `invalid_request` for two of a kind, for no receipt, and for anything else;
 * `storage_failed`.
 */
export async function tellApart(
  paths: readonly string[],
  named: Partial<GivenFiles>,
): Promise<GivenFiles> {
  const found: Partial<Record<Kind, string>> = { ...named };
  for (const path of paths) {
    const kind = kindOf(await readHead(path));
    if (kind === undefined) refuse(`${path} is no receipt, no transcript and no image`);
    const other = found[kind];
    if (other !== undefined) refuse(`${other} and ${path} are given as the ${kind}: give one`);
    found[kind] = path;
  }
  const { receipt, ...rest } = found;
  if (receipt === undefined) refuse(`none of the files (${paths.join(", ")}) is a receipt`);
  return { receipt, ...rest };
}

function kindOf(head: Uint8Array): Kind | undefined {
  const text = String.fromCharCode(...head);
  if (/^(\x89PNG|\xff\xd8\xff|RIFF[^]{4}WEBP)/.test(text)) return "image";
  // safetensors: the header's length in eight bytes, then the header, which is JSON.
  if (/^[^]{4}\0{4}\{/.test(text)) return "transcript";
  // JSON may begin with a byte order mark.
  return /^(\xef\xbb\xbf)?\s*\{/.test(text) ? "receipt" : undefined;
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(new Uint8Array(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
