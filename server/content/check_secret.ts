import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, PRIVATE_FILE, storageFailed, writeAtomically } from "../storage/mod.ts";

const BYTES = 32;

/** Of a storage folder: made the first time, and kept, so that a restart draws no check anew. */
export async function checkSecret(folder: string): Promise<Uint8Array> {
  const path = join(folder, "check_secret.bin");
  const kept = await readFile(path).catch(async (error) => {
    if (isMissing(error)) return undefined;
    throw await storageFailed(path, error, "--storage");
  });
  if (kept) return kept;
  const secret = randomBytes(BYTES);
  await writeAtomically(path, secret, PRIVATE_FILE);
  return secret;
}
