import { AppError } from "../../core/error.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  decodeScore,
  imageOfMiner,
  MAX_REFUSAL_BYTES,
  minerAddress,
  openingsOfMiner,
  PATHS,
  type Score,
  type ScoreCall,
} from "../../core/protocol/mod.ts";
import { Mutex } from "../../core/mutex.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import {
  type CheckedImage,
  type CheckedStatement,
  chooseSteps,
  type Report,
  type Verifier,
} from "../../core/verifier/mod.ts";
import { askValidator, type Validated } from "./other_half.ts";

/** An answer to score, and who opens it. */
export interface AnswerToScore extends ScoreCall {
  /** Its receipt, where the signature was verified when it came. */
  readonly statement?: CheckedStatement;
}

/**
 * Checks an answer: draws steps, has them opened, and recomputes them.
 * @throws AppError when the checker itself cannot; never for what a miner did.
 */
export type Scorer = (answer: AnswerToScore, image?: CheckedImage) => Promise<Score>;

/** Milliseconds for each opening. */
const OPENING_MS = 20_000;
const RETRY_MS = 500;

/** With an engine of this process, one check after the other. */
export function localScorer(
  verifier: Verifier,
  engine: Pick<ImageEngine, "predict" | "decode">,
): Scorer {
  const oneByOne = new Mutex();
  return async ({ receipt, statement, url, token }, image) => {
    const miner = minerAddress(url, OPENING_MS, token);
    const report = await oneByOne.run(() =>
      verifier.verify({
        receipt: statement ?? receipt,
        level: 3,
        drawn: chooseSteps(receipt, {}),
        source: patient(openingsOfMiner(miner)),
        image: () => image ? Promise.resolve(image) : imageOfMiner(miner, receipt, statement?.id),
        openEngine: () => Promise.resolve(engine),
      })
    );
    return scoreOf(report);
  };
}

/** A dropped connection is no refusal: what is withheld is asked for once more. */
function patient(source: ReturnType<typeof openingsOfMiner>): ReturnType<typeof openingsOfMiner> {
  return async (committed, target) => {
    try {
      return await source(committed, target);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "opening_withheld") throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      return await source(committed, target);
    }
  };
}

/** What of a report counts. A step that is not opened is a failure, and no proof of a cheat. */
function scoreOf(report: Report): Score {
  const { verdict, reasons, similarity, worst, steps } = report;
  const errors = steps.flatMap(({ velocityError }) => velocityError ?? []);
  return {
    verdict: report.code === "opening_withheld" ? "withheld" : verdict,
    // A cosine close to 1 is no merit where the check failed.
    similarity: verdict === "honest" ? similarity ?? 0 : 0,
    velocityError: errors.length > 0 ? Math.max(...errors.map(finite)) : null,
    worst: worst === undefined ? null : finite(worst),
    reasons: [...reasons],
  };
}

/** JSON has no infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
}

/** With the scoring API of a forwarding validator. */
export function remoteScorer(other: Validated, hotkey: Hotkey, timeoutMs = 120_000): Scorer {
  return async ({ receipt, url, token }) =>
    decodeScore(
      await askValidator(
        other,
        {
          path: PATHS.score,
          call: { receipt, url, token },
          max: MAX_REFUSAL_BYTES,
          timeoutMs,
        },
        hotkey,
      ),
    );
}
