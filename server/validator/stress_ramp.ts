import { AppError, reason, throwIfAborted } from "../../core/error.ts";
import type { ImageAnswer } from "../../core/protocol/mod.ts";
import type { Checked, LoadTest } from "./ledger/mod.ts";
import { MinerBusy } from "./miner_answer.ts";
import { type Asked, type CheckedAnswer, type MinerCaller, MinerForged } from "./miner_caller.ts";
import type { Peer } from "./peers.ts";
import type { Scorer } from "./scorer.ts";
import { type Random, sample } from "./selection.ts";

export interface StressOptions {
  /** Concurrent requests of the first level; each level has twice those before. */
  readonly first: number;
  readonly max: number;
  /** Share of a level that may fail, and milliseconds that an answer may take: else it is too much. */
  readonly maxErrorRate: number;
  readonly maxLatencyMs: number;
  /** Share of the answers that is checked, at least one. */
  readonly checkShare: number;
}

export const DEFAULT_STRESS: StressOptions = {
  first: 4,
  max: 256,
  maxErrorRate: 0.25,
  maxLatencyMs: 30_000,
  checkShare: 0.0625,
};

interface StressParts {
  readonly caller: Pick<MinerCaller, "generate" | "forget">;
  readonly scorer: Scorer;
  /** A new request each time, so that nothing can be made before. */
  readonly ask: () => Promise<Pick<Asked, "request" | "format" | "manifest">>;
  readonly random: Random;
  /** Milliseconds. */
  readonly clock: () => number;
  readonly options: StressOptions;
}

export interface StressResult {
  readonly test: LoadTest;
  readonly checks: readonly Checked[];
  /** An honest answer, kept at the miner: it may be published. */
  readonly shown: ImageAnswer | undefined;
}

/** One level of a test. */
interface Load {
  readonly sent: number;
  readonly answers: readonly CheckedAnswer[];
  /** Answers that are caught as they come. */
  readonly forged: readonly MinerForged[];
  readonly seconds: number;
  /** Milliseconds. */
  readonly slowest: number;
}

/** Answers that are given back at once. */
const FORGET_BATCH = 16;

/**
 * Doubles a miner's load until it is too much, then has some of the answers checked: chosen
 * only when all receipts are in. The rate is that of the highest level that was not too much.
 * @throws AppError when the checker cannot check, or `cancelled`; then nothing is known of the
 * miner.
 */
export async function stressTest(
  peer: Peer,
  parts: StressParts,
  signal?: AbortSignal,
): Promise<StressResult> {
  const { options, random, scorer, caller } = parts;
  const loads: Load[] = [];
  for (let sent = options.first; sent <= options.max; sent *= 2) {
    loads.push(await runLoad(peer, sent, parts, signal));
    if (!isCarried(loads[loads.length - 1], options)) break;
  }
  const answers = loads.flatMap((load) => load.answers);
  const forged = loads.flatMap((load) => load.forged.map(({ score }) => forgedOf(peer, score)));
  // A forged answer is proof enough: nothing depends on a checker that may be busy or down.
  const count = forged.length > 0
    ? 0
    : Math.max(1, Math.round(options.checkShare * answers.length));
  const drawn = sample(answers, count, random);
  let shown: CheckedAnswer | undefined;
  try {
    const checks: Checked[] = [];
    for (const { id, receipt, token, statement } of drawn) {
      throwIfAborted(signal, `test uid ${peer.uid}`);
      const score = await scorer({ receipt, token, statement, url: peer.url });
      checks.push({ id, hotkey: peer.hotkey, source: "synthetic", score });
    }
    shown = drawn.find((_, k) => checks[k].score.verdict === "honest");
    return { test: measured(loads, options), checks: [...checks, ...forged], shown };
  } finally {
    // There is no time for it when the test is stopped: they age out.
    const left = signal?.aborted ? [] : answers.filter((answer) => answer !== shown);
    await forgetAll(peer, left, caller);
  }
}

function forgedOf({ hotkey }: Peer, score: Checked["score"]): Checked {
  return { id: crypto.randomUUID(), hotkey, source: "synthetic", score };
}

async function runLoad(
  peer: Peer,
  sent: number,
  parts: StressParts,
  signal: AbortSignal | undefined,
): Promise<Load> {
  const { ask, clock } = parts;
  const asked = await Promise.all(Array.from({ length: sent }, ask));
  const started = clock();
  let slowest = 0;
  const results = await Promise.all(asked.map(async (one) => {
    const answer = await answerOf(peer, one, parts, signal);
    if (!(answer instanceof AppError)) slowest = Math.max(slowest, clock() - started);
    return answer;
  }));
  return {
    sent,
    answers: results.filter((result): result is CheckedAnswer => !(result instanceof AppError)),
    forged: results.filter((result) => result instanceof MinerForged),
    ...{ seconds: (clock() - started) / 1000, slowest },
  };
}

/** Whether a miner is there: one that honestly has no room now counts as neither. */
export type ProbeOutcome = "answers" | "busy" | "silent";

/** Asks for one image, and gives it back. */
export async function probe(
  peer: Peer,
  parts: Pick<StressParts, "caller" | "ask" | "options">,
  signal?: AbortSignal,
): Promise<ProbeOutcome> {
  const answer = await answerOf(peer, await parts.ask(), parts, signal);
  if (answer instanceof MinerBusy) return "busy";
  // A forger is there: a test will show it.
  if (answer instanceof MinerForged) return "answers";
  if (answer instanceof AppError) return "silent";
  await parts.caller.forget(peer, answer.id);
  return "answers";
}

/** @returns what a miner answers, or how it fails. */
async function answerOf(
  peer: Peer,
  asked: Pick<Asked, "request" | "format" | "manifest">,
  { caller, options: { maxLatencyMs } }: Pick<StressParts, "caller" | "options">,
  signal: AbortSignal | undefined,
): Promise<CheckedAnswer | AppError> {
  try {
    // A little more than it may take, to distinguish late answers from none.
    return await caller.generate(peer, { ...asked, timeoutMs: LATE * maxLatencyMs, signal });
  } catch (error) {
    if (error instanceof AppError && error.code === "miner_failed") return error;
    if (error instanceof AppError && error.code === "cancelled") throw error;
    throw new AppError("host_failed", `Cannot test uid ${peer.uid}: ${reason(error)}`, {
      cause: error,
    });
  }
}

const LATE = 1.5;

function isCarried(
  { sent, answers, slowest }: Load,
  { maxErrorRate, maxLatencyMs }: StressOptions,
): boolean {
  return sent - answers.length <= maxErrorRate * sent && slowest <= maxLatencyMs;
}

function measured(loads: readonly Load[], options: StressOptions): LoadTest {
  const highest = loads.findLast((load) => isCarried(load, options)) ?? loads[0];
  const { sent, answers, seconds } = highest;
  return {
    id: crypto.randomUUID(),
    requestsPerSecond: seconds > 0 ? answers.length / seconds : 0,
    errorRate: 1 - answers.length / sent,
    requests: loads.reduce((sum, load) => sum + load.sent, 0),
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
