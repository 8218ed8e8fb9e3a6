import { openStep } from "../../core/transcript/mod.ts";
import { checkImage } from "../../core/verification/mod.ts";
import type { OpeningSource } from "../../core/verify/mod.ts";
import { readTranscript } from "../evidence/mod.ts";

/** Opens from a transcript file on this machine, as its miner would: proofs are made from it. */
export function openingsOfFile(path: string, image?: Uint8Array): OpeningSource {
  let read: ReturnType<typeof readTranscript> | undefined;
  return async ({ receipt, plan }, target) => {
    // Its hash is a leaf of the tree: of another image no root would be the receipt's.
    if (image) checkImage({ receipt }, image);
    read ??= readTranscript(path, receipt, image);
    return await openStep(await read, receipt, plan, target);
  };
}
