import { openStep } from "../../core/prover/mod.ts";
import { checkImage, type OpeningSource } from "../../core/verifier/mod.ts";

import { readTranscript } from "../transcripts/mod.ts";

/** Opens from a transcript file on this machine, as its miner would: proofs are made from it. */
export function openingsOfFile(path: string, image?: Uint8Array<ArrayBuffer>): OpeningSource {
  let read: ReturnType<typeof readTranscript> | undefined;
  return async ({ receipt, id, plan }, target) => {
    // Its hash is a leaf of the tree: of another image no root would be the receipt's.
    if (image) checkImage({ receipt }, image);
    read ??= readTranscript(path, receipt, image);
    return await openStep(await read, receipt, plan, target, id);
  };
}
