import { openStep } from "../../core/transcript/mod.ts";
import type { OpeningSource } from "../../core/verify/mod.ts";
import { readTranscript } from "../evidence/mod.ts";

/** Opens from a transcript file on this machine, as its miner would: proofs are made from it. */
export function openingsOfFile(path: string, image?: Uint8Array): OpeningSource {
  let read: ReturnType<typeof readTranscript> | undefined;
  return async ({ receipt, plan }, target) => {
    read ??= readTranscript(path, receipt, image);
    return await openStep(await read, receipt, plan, target);
  };
}
