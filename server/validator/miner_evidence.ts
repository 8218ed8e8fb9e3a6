import { AppError } from "../../core/error.ts";
import {
  imageOfMiner,
  inputOfMiner,
  minerAddress,
  openingsOfMiner,
  type ScoreCall,
} from "../../core/protocol/mod.ts";
import { receiptId } from "../../core/transcript/mod.ts";
import type { OpeningSource } from "../../core/verifier/mod.ts";
import { type Clock, stopwatch } from "./clock.ts";

/** What a miner sends of itself for one check. */
export interface MinerEvidence {
  readonly source: OpeningSource;
  readonly image: () => Promise<Uint8Array<ArrayBuffer>>;
  /** A file that the request names, by its hash. */
  readonly input: (sha256: string) => Promise<Uint8Array<ArrayBuffer>>;
}

const RETRY_MS = 500;

/**
 * The openings and the image of one check. They have one time together: a miner that answers each
 * late is as late as one that answers one of them late.
 * @param id of the receipt, where it is known.
 * @param fetchMs milliseconds that the miner may take in all; what is computed meanwhile is not its.
 */
export function evidenceOfMiner(
  { receipt, url, token }: ScoreCall,
  id: string | undefined,
  fetchMs: number,
  { now, sleep }: Clock = stopwatch,
): MinerEvidence {
  let left = fetchMs;
  const timed = async <T>(fetch: (timeoutMs: number) => Promise<T>): Promise<T> => {
    if (left <= 0) throw withheld(fetchMs);
    const started = now();
    try {
      return await fetch(left);
    } finally {
      left -= now() - started;
    }
  };
  const miner = (timeoutMs: number) => minerAddress(url, Math.ceil(timeoutMs), token);
  return {
    source: async (committed, target) => {
      const open = () => timed((ms) => openingsOfMiner(miner(ms))(committed, target));
      try {
        return await open();
      } catch (error) {
        // A dropped connection is no refusal: what is withheld is asked for once more.
        if (!(error instanceof AppError) || error.code !== "opening_withheld") throw error;
        if (left <= RETRY_MS) throw error;
        await timed(() => sleep(RETRY_MS));
        return await open();
      }
    },
    image: () => timed((ms) => imageOfMiner(miner(ms), receipt, id)),
    input: (sha256) => timed((ms) => inputOfMiner(miner(ms), id ?? receiptId(receipt), sha256)),
  };
}

function withheld(fetchMs: number): AppError {
  return new AppError(
    "opening_withheld",
    `Cannot fetch the steps: not all of them came within ${fetchMs / 1000} s`,
  );
}
