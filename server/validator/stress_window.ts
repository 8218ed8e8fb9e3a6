import { AppError, reason } from "../../core/error.ts";
import type { ImageAnswer } from "../../core/protocol/mod.ts";
import type { Clock } from "./clock.ts";
import type { Checked, LoadTest } from "./ledger/mod.ts";
import { MinerBusy } from "./miner_answer.ts";
import { type CheckedAnswer, type MinerCaller, MinerForged } from "./miner_caller.ts";
import type { Peer } from "./peers.ts";
import type { Scorer } from "./scorer.ts";
import { type Random, sample } from "./selection.ts";
import type { TestDraw, TestRequest } from "./test_draw.ts";

export interface StressOptions {
  /** Milliseconds for which all miners are loaded, all at the same moment. */
  readonly windowMs: number;
  /** Concurrent requests at first and at most; each that is answered in time makes room for another. */
  readonly first: number;
  readonly max: number;
  /** Share of the answers that is checked, at least one and at most so many. */
  readonly checkShare: number;
  readonly maxChecks: number;
}

export const DEFAULT_STRESS: StressOptions = {
  windowMs: 30_000,
  first: 4,
  max: 256,
  checkShare: 0.0625,
  maxChecks: 4,
};

export interface StressParts {
  readonly caller: Pick<MinerCaller, "generate" | "forget">;
  readonly scorer: Scorer;
  readonly draw: TestDraw;
  /** Whether no receipt with this Merkle root came before: tests ask for what nobody asked before. */
  readonly isNew: (root: string) => boolean;
  readonly random: Random;
  readonly clock: Clock;
  readonly options: StressOptions;
}

/** What one miner did of a window. */
export interface Load {
  readonly answers: readonly CheckedAnswer[];
  /** Answers that are caught as they come. */
  readonly forged: readonly MinerForged[];
  /** Answers that repeat the work of an earlier receipt, as one that is relayed does; they have failed. */
  readonly copied: readonly CheckedAnswer[];
  /** Answered, in images of the model's default. */
  readonly work: number;
  readonly sent: number;
  /** Neither answered nor honestly turned away. */
  readonly failed: number;
  /** Requests at once of which none was turned away. */
  readonly carried: number;
}

export interface StressResult {
  readonly test: LoadTest;
  readonly checks: readonly Checked[];
  /** An honest answer, kept at the miner: it may be published. */
  readonly shown: CheckedAnswer | undefined;
}

/** Milliseconds until a miner that refused or failed is asked again. */
const PAUSE_MS = 1000;
/** An answer that takes a larger share of the window is no reason to send more at once. */
const PROMPT_SHARE = 0.25;
/** Answers that are given back at once. */
const FORGET_BATCH = 16;

/**
 * Loads a miner until the window ends, with more requests at once as long as they are answered
 * promptly. What is not answered by then counts as neither: every miner has the same window, so that
 * the rates of hotkeys that share a machine add up to that machine's.
 * @param most requests at once.
 * @param over is aborted when the window ends.
 * @throws AppError when our side cannot ask.
 */
export async function loadMiner(
  peer: Peer,
  parts: StressParts,
  most: number,
  over: AbortSignal,
): Promise<Load> {
  const { clock, options } = parts;
  const promptMs = PROMPT_SHARE * options.windowMs;
  const [answers, copied]: [CheckedAnswer[], CheckedAnswer[]] = [[], []];
  const forged: MinerForged[] = [];
  let [work, sent, failed, open, carried, room] = [0, 0, 0, 0, 0, most];
  const runs: Promise<void>[] = [];
  let trouble: unknown;
  const start = () => void runs.push(run().catch((error) => void (trouble ??= error)));
  const run = async () => {
    open++;
    while (!over.aborted) {
      const asked = await parts.draw();
      const started = clock.now();
      sent++;
      const answer = await answerOf(peer, asked, parts, over);
      if (over.aborted) break;
      if (!(answer instanceof AppError) && !parts.isNew(answer.receipt.root)) {
        copied.push(answer);
        failed++;
        continue;
      }
      if (!(answer instanceof AppError)) {
        answers.push(answer);
        work += asked.work;
        carried = Math.max(carried, Math.min(open, room));
        if (open < room && clock.now() - started <= promptMs) start();
        continue;
      }
      if (answer instanceof MinerForged) forged.push(answer);
      else if (!(answer instanceof MinerBusy)) failed++;
      // It has shown how much it takes.
      room = Math.min(room, Math.max(1, open - 1));
      if (open > room) break;
      await clock.sleep(PAUSE_MS, over);
    }
    open--;
  };
  for (let k = 0; k < Math.min(options.first, most); k++) start();
  // Runs are added meanwhile.
  for (let k = 0; k < runs.length; k++) await runs[k];
  if (trouble) throw trouble;
  return { answers, forged, copied, work, sent, failed, carried };
}

/** @returns what a miner answers, or how it fails. */
async function answerOf(
  peer: Peer,
  { work: _, ...asked }: TestRequest,
  { caller, options: { windowMs } }: Pick<StressParts, "caller" | "options">,
  signal: AbortSignal,
): Promise<CheckedAnswer | AppError> {
  try {
    return await caller.generate(peer, { ...asked, timeoutMs: windowMs, signal });
  } catch (error) {
    const known = error instanceof AppError ? error : undefined;
    if (known?.code === "miner_failed" || known?.code === "cancelled") return known;
    throw new AppError("host_failed", `Cannot test uid ${peer.uid}: ${reason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Has some of a window's answers checked, chosen only when all receipts are in, and those first that
 * are copied; the others are given back.
 * @throws AppError when the checker cannot check; then nothing is known of the miner.
 */
export async function examine(
  peer: Peer,
  load: Load,
  { scorer, caller, random, options }: Pick<
    StressParts,
    "scorer" | "caller" | "random" | "options"
  >,
): Promise<StressResult> {
  const answers = [...load.copied, ...load.answers];
  const forged = load.forged.map(({ score }) => ({ ...checkOf(peer), score }));
  const count = checksOf(load, options);
  const suspects = sample(load.copied, count, random);
  const drawn = [...suspects, ...sample(load.answers, count - suspects.length, random)];
  let shown: CheckedAnswer | undefined;
  try {
    // At the same time: a miner that opens them slowly takes one check's time, not the sum.
    const checks = await Promise.all(drawn.map(async ({ id, receipt, token, statement }) => {
      const score = await scorer({ receipt, token, statement, url: peer.url });
      return { ...checkOf(peer), id, score };
    }));
    shown = drawn.find((_, k) => checks[k].score.verdict === "honest");
    return { test: measured(load, options), checks: [...checks, ...forged], shown };
  } finally {
    await forgetAll(peer, answers.filter((answer) => answer !== shown), caller);
  }
}

/** A forged answer is proof enough: nothing depends on a checker that may be busy or down. */
function checksOf(
  { answers, copied, forged }: Load,
  { checkShare, maxChecks }: StressOptions,
): number {
  if (forged.length > 0) return 0;
  return Math.min(maxChecks, Math.max(1, Math.round(checkShare * answers.length) + copied.length));
}

function checkOf({ hotkey }: Peer) {
  return { id: crypto.randomUUID(), hotkey, source: "synthetic" as const };
}

function measured(
  { answers, forged, work, sent, failed, carried }: Load,
  { windowMs }: StressOptions,
): LoadTest {
  const ended = answers.length + forged.length + failed;
  return {
    id: crypto.randomUUID(),
    requestsPerSecond: 1000 * work / windowMs,
    // Who takes nothing at all has failed, however politely.
    errorRate: answers.length === 0 ? 1 : failed / ended,
    requests: sent,
    carried,
  };
}

async function forgetAll(
  peer: Peer,
  answers: readonly ImageAnswer[],
  caller: StressParts["caller"],
): Promise<void> {
  for (let k = 0; k < answers.length; k += FORGET_BATCH) {
    const some = answers.slice(k, k + FORGET_BATCH);
    await Promise.all(some.map(({ id }) => caller.forget(peer, id)));
  }
}
