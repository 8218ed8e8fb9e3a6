import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** SHA-256 in lower-case hex. A page by plain http from another machine has no `crypto.subtle`. */
export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!("subtle" in crypto)) return bytesToHex(sha256(bytes));
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** As {@link digest}, of a file. */
export async function hashOfBlob(blob: Blob): Promise<string> {
  return await digest(new Uint8Array(await blob.arrayBuffer()));
}
