import { knownModel } from "../../../core/model/mod.ts";
import { modelFacts } from "../../../core/prover/mod.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { openedModel, rememberModel, type TabModel } from "./catalogue.ts";
import { RemoteFiles } from "./remote_files.ts";

/**
 * A model in a folder of diffusers on a web server; it is opened once. A receipt names the hash of all
 * of its bytes: for that every file is read once more, by its whole.
 * @throws AppError as `RemoteFiles.open`.
 */
export async function openRemoteModel(address: string, signal: AbortSignal): Promise<TabModel> {
  const base = address.endsWith("/") ? address : `${address}/`;
  const known = openedModel(base);
  if (known) return known;
  const files = await RemoteFiles.open(base, signal);
  const model = knownModel(files, undefined, () => modelFacts(files, undefined, hasher));
  rememberModel(base, model);
  return model;
}

/** A page by plain http has no `crypto.subtle`, which hashes nothing piece by piece anyway. */
function hasher() {
  const hash = sha256.create();
  return {
    update: (bytes: Uint8Array) => hash.update(bytes),
    digest: () => bytesToHex(hash.digest()),
  };
}
