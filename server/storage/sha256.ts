import { createHash } from "node:crypto";
import type { Hasher } from "../../core/inference/mod.ts";

/** SHA-256 in native code: several times the speed of script, which counts for gigabytes. */
export function sha256(): Hasher {
  const hash = createHash("sha256");
  return { update: (bytes) => hash.update(bytes), digest: () => hash.digest("hex") };
}

/** Of a file, in lower-case hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = sha256();
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest();
}
