import type { Contender, Result } from "./contender.ts";
import type { Timing } from "./gpu_timer.ts";
import { median } from "../report/mod.ts";

/** Samples of one contender. */
export interface Samples {
  readonly contender: Contender;
  /** Runs behind each sample. */
  readonly repeats: number;
  readonly timings: readonly Timing[];
  /** Largest |a - b| / (1 + |b|) from the reference; undefined where one of them gives nothing. */
  readonly error: number | undefined;
}

export interface ContestLimits {
  /** For all rounds together; a started round is ended, and a few are run in any case. */
  readonly budgetMs: number;
  /** How long the runs of one sample take together, so that a fence weighs little. */
  readonly sampleMs: (contender: Contender) => number;
}

export interface ContestResult {
  readonly samples: readonly Samples[];
  /** Variants of kernels for which there was no time. */
  readonly leftOut: readonly string[];
}

const FEWEST_ROUNDS = 3;
const MAX_ROUNDS = 21;
const MAX_REPEATS = 256;
const WARM_UPS = 4;
/** Of the budget, to be spent on warming up before extra variants are left out. */
const WARM_PART = 0.3;
/** No variant is left out to save less than this. */
const SHORT_MS = 500;

/**
 * Measures contenders in rounds, each of them once a round and always in the same order, so that
 * what disturbs the machine disturbs them all. Each runs before that and is compared with the
 * reference, the contender on the CPU.
 */
export async function runContest(
  contenders: readonly Contender[],
  limits: ContestLimits,
): Promise<ContestResult> {
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  const reference = await contenders.find(({ kind }) => kind === "cpu")?.result();
  const warm: Entry[] = [];
  for (const contender of contenders.toSorted((a, b) => Number(isExtra(a)) - Number(isExtra(b)))) {
    if (isExtra(contender) && elapsed() > WARM_PART * limits.budgetMs + SHORT_MS) continue;
    warm.push(await warmUp(contender, reference, limits.sampleMs(contender)));
  }
  const entries = affordable(warm, limits.budgetMs - elapsed());
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (elapsed() > limits.budgetMs && round >= FEWEST_ROUNDS) break;
    for (const { contender, repeats, timings } of entries) {
      timings.push(await contender.run(repeats));
    }
  }
  return result(contenders, entries);
}

interface Entry extends Samples {
  readonly timings: Timing[];
  /** Milliseconds that a sample takes, about. */
  readonly expectedMs: number;
}

/** A variant that the engine does not use: left out where time is short. */
function isExtra({ kind, chosen }: Contender): boolean {
  return kind === "kernel" && !chosen;
}

/** Without the extra variants, where the fewest rounds of all would take too long. */
function affordable(entries: readonly Entry[], budgetMs: number): readonly Entry[] {
  const round = entries.reduce((sum, { expectedMs }) => sum + expectedMs, 0);
  if (FEWEST_ROUNDS * round <= Math.max(budgetMs, SHORT_MS)) return entries;
  return entries.filter(({ contender }) => !isExtra(contender));
}

/** In the order that the contenders were given in. */
function result(contenders: readonly Contender[], entries: readonly Entry[]): ContestResult {
  const found = contenders.map((wanted) => entries.find(({ contender }) => contender === wanted));
  return {
    samples: found.filter((entry) => entry !== undefined),
    leftOut: contenders.filter((_, k) => !found[k]).map(({ name }) => name),
  };
}

/** Runs until it has warmed up; the quickest run decides how many make a sample. */
async function warmUp(
  contender: Contender,
  reference: Result,
  sampleMs: number,
): Promise<Entry> {
  // The reference has run already.
  const own = contender.kind === "cpu" ? undefined : await contender.result();
  const started = performance.now();
  let quickest = Infinity;
  for (let k = 0; k < WARM_UPS && performance.now() - started < WARM_UPS * sampleMs; k++) {
    const { wallMs, gpuMs } = await contender.run(1);
    quickest = Math.min(quickest, gpuMs ?? wallMs);
  }
  const repeats = Math.ceil(sampleMs / Math.max(quickest, sampleMs / MAX_REPEATS));
  const error = distance(own, reference);
  return { contender, repeats, timings: [], error, expectedMs: repeats * quickest };
}

function distance(result: Result, reference: Result): number | undefined {
  if (!result || !reference) return undefined;
  if (result.length !== reference.length) return Infinity;
  let max = 0;
  for (let j = 0; j < reference.length; j++) {
    const error = Math.abs(result[j] - reference[j]) / (1 + Math.abs(reference[j]));
    // A NaN is as wrong as can be.
    if (!(error <= max)) max = Number.isNaN(error) ? Infinity : error;
  }
  return max;
}

/** Milliseconds of a fence after nothing. */
export async function measureFence(device: GPUDevice): Promise<number> {
  const samples: number[] = [];
  for (let k = 0; k < 9; k++) {
    const started = performance.now();
    device.queue.submit([device.createCommandEncoder().finish()]);
    await device.queue.onSubmittedWorkDone();
    samples.push(performance.now() - started);
  }
  return median(samples);
}
