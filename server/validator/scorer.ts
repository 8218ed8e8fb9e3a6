import type { ImageEngine, SourceImages } from "../../core/generation/mod.ts";
import { AppError } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import { type ImageCodec, imageCodec } from "../../core/image/mod.ts";
import {
  decodeScore,
  type InputFiles,
  MAX_REFUSAL_BYTES,
  PATHS,
  type Score,
  type ScoreCall,
} from "../../core/protocol/mod.ts";
import { Mutex } from "../../core/mutex.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import {
  type CheckedImage,
  type CheckedStatement,
  checkNew,
  chooseSteps,
  type ClaimedTail,
  gainOf,
  type Report,
  type Verifier,
} from "../../core/verifier/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import type { Clock } from "./clock.ts";
import { evidenceOfMiner } from "./miner_evidence.ts";
import { scoredSources } from "./scored_sources.ts";
import { askValidator, type Validated } from "./ask_validator.ts";

/** An answer to score, and the miner that opens it. */
export interface AnswerToScore extends ScoreCall {
  /** Its receipt, where the signature was verified when it came. */
  readonly statement?: CheckedStatement;
  /** The files that its request names, as far as they are here; the others are the miner's to give. */
  readonly inputs?: InputFiles;
  /** Whose answer to a user it is: what comes of it is kept, whatever happens to who asked. */
  readonly answered?: AnsweredUser;
}

/** An answer of a miner to a user. */
export interface AnsweredUser {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  /** In images of the model's default. */
  readonly work: number;
}

/**
 * Checks an answer: draws steps, has them opened, and recomputes them.
 * @throws AppError when the checker itself cannot; never for what a miner did.
 */
export type Scorer = (answer: AnswerToScore, image?: CheckedImage) => Promise<Score>;

/**
 * Milliseconds that a miner has for all that one check fetches: less than a user waits for a miner, and
 * than another validator waits for the check.
 */
export const FETCH_MS = 30_000;

export interface LocalScorerOptions {
  /** Milliseconds that a miner has for all that one check fetches; default: {@link FETCH_MS}. */
  readonly fetchMs?: number;
  /** Decodes the images; default: in this thread. */
  readonly codec?: ImageCodec;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** What honest machines of the receipt's claim are like, where it is known. */
  readonly tailOf?: (receipt: Receipt) => ClaimedTail | undefined;
}

/**
 * With an engine of this process. Networks run one after the other; what miners send is awaited
 * outside, so that a slow one holds up no other check, not even its own: each has its own time, and
 * ends as `withheld` before anybody who waits for it gives up.
 */
export function localScorer(
  verifier: Pick<Verifier, "verify">,
  engine: Pick<ImageEngine, "predict" | "decode" | "encode">,
  { fetchMs = FETCH_MS, codec = imageCodec, clock, tailOf }: LocalScorerOptions = {},
): Scorer {
  const network = new Mutex();
  const oneByOne: typeof engine = {
    predict: (...of) => network.run(() => engine.predict(...of)),
    decode: (request, bits) => network.run(() => engine.decode(request, bits)),
    encode: (...of) => network.run(() => engine.encode(...of)),
  };
  return async (answer, image) => {
    const { receipt, statement } = answer;
    const evidence = evidenceOfMiner(answer, statement?.id, fetchMs, clock);
    let sources: SourceImages | undefined;
    try {
      // Miners keep what they open for minutes: what is scored was made now.
      checkNew(answer);
      sources = await scoredSources(answer, evidence, codec);
    } catch (error) {
      return withoutSources(error);
    }
    const report = await verifier.verify({
      receipt: statement ?? receipt,
      level: 3,
      drawn: chooseSteps(receipt, {}),
      source: evidence.source,
      image: () => image ? Promise.resolve(image) : evidence.image(),
      sources,
      openEngine: () => Promise.resolve(oneByOne),
      codec,
    });
    return scoreOf(report, tailOf?.(receipt));
  };
}

/** Of a run that started from what nobody can see, or that could not start from what is there. */
function withoutSources(error: unknown): Score {
  if (!(error instanceof AppError) || !errorFacts(error.code).evidence) throw error;
  // Our own thread ended: a file that is no image is `invalid_request`.
  if (error.code === "encoding_failed") throw error;
  const verdict = error.code === "opening_withheld" ? "withheld" : "invalid";
  const none = { similarity: 0, velocityError: null, worst: null };
  return { verdict, ...none, reasons: [error.message] };
}

/** What of a report counts. A step that is not opened is a failure, and no proof of a cheat. */
function scoreOf(report: Report, honest: ClaimedTail | undefined): Score {
  const { verdict, reasons, similarity, worst, steps } = report;
  const errors = steps.flatMap(({ velocityError }) => velocityError ?? []);
  return {
    verdict: report.code === "opening_withheld" ? "withheld" : verdict,
    // A cosine close to 1 is no merit where the check failed.
    similarity: verdict === "honest" ? similarity ?? 0 : 0,
    velocityError: errors.length > 0 ? Math.max(...errors.map(finite)) : null,
    worst: worst === undefined ? null : finite(worst),
    reasons: [...reasons],
    ...precisionOf(report, honest),
  };
}

function precisionOf(
  { steps }: Report,
  honest: ClaimedTail | undefined,
): Pick<Score, "ratios" | "drift"> {
  const ratios = steps.flatMap(({ velocityError, tolerance }) =>
    velocityError === undefined || tolerance === undefined ? [] : finite(velocityError / tolerance)
  );
  if (ratios.length === 0) return {};
  if (!honest) return { ratios };
  return { ratios, drift: { gain: gainOf(ratios, honest.tail), backend: honest.backend } };
}

/** JSON has no infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
}

/** Milliseconds for a check there: many may wait for its network, and a void test is no small thing. */
const REMOTE_MS = 300_000;

/** With the scoring API of a forwarding validator. */
export function remoteScorer(other: Validated, hotkey: Hotkey, timeoutMs = REMOTE_MS): Scorer {
  return async ({ receipt, url, token, inputs }) =>
    decodeScore(
      await askValidator(
        other,
        {
          path: PATHS.score,
          call: { receipt, url, token },
          inputs,
          max: MAX_REFUSAL_BYTES,
          timeoutMs,
        },
        hotkey,
      ),
    );
}
