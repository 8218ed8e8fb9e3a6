import type { Examination, ExaminedStep } from "./examine.ts";
import type { Cheat } from "./lab.ts";
import { relativeIncome } from "./profit.ts";
import {
  areaUnder,
  mean,
  olderPassRate,
  passRate,
  quantile,
  rocCurve,
  type RocPoint,
} from "./statistics.ts";
import type { ByDrawn, Thresholds } from "./thresholds.ts";

/** One run of a practice, as it was examined. */
export interface ExaminedRun extends Examination {
  /** Network calls that were counted, as a share of an honest run's. */
  readonly calls: number;
  /** Machine time, an honest run's being 1. */
  readonly work: number;
}

/** How often one checked image of a practice passes. */
export interface PassRates {
  /** By the number of steps drawn, with the model's tolerances. */
  readonly drawn: ByDrawn<number>;
  /**
   * The same with thresholds that reject one honest image in 10,000; undefined where no honest
   * machine but the checker's own was there.
   */
  readonly atRate?: ByDrawn<number>;
  readonly older: number;
}

/** All that is found of one practice. */
export interface CheatFindings {
  readonly name: string;
  readonly saves: string;
  readonly runs: number;
  readonly steps: number;
  /** Share of all steps that are cheated. */
  readonly cheated: number;
  readonly calls: number;
  readonly work: number;
  /** Of the cheated steps. */
  readonly flagged: number;
  /** Velocity error over its tolerance, of the cheated steps: Infinity where refused unseen. */
  readonly ratio: { readonly least: number; readonly median: number };
  readonly velocityError: { readonly least: number; readonly median: number };
  readonly similarity: number;
  readonly latentCosine: number;
  /** Area under the ROC curve, and the curve: ours, and that of Subnet 30's rule's cosine. */
  readonly auc: { readonly ours: number; readonly older: number };
  readonly roc: { readonly ours: readonly RocPoint[]; readonly older: readonly RocPoint[] };
  readonly passes: PassRates;
  /** 1 - C(N-c,3)/C(N,3): that plain drawing of 3 hits one of the cheated steps. */
  readonly plainCatch: number;
  /**
   * Expected weight over an honest miner's; of Subnet 30's rule the same with its pass rate. The mean
   * over the runs, each taken for a miner whose images are all like it: no less than what the mix
   * of them earns.
   */
  readonly income: { readonly ours: number; readonly older: number };
  /** Every examined step, for plots. */
  readonly sights: readonly ExaminedStep[];
}

/** What practices are compared with. */
export interface HonestSteps {
  /** Of every honest run: the ROC curves are drawn against them. */
  readonly all: readonly ExaminedStep[];
  /** By those that were made on another machine than the checker's. */
  readonly thresholds: Thresholds | undefined;
}

export function findingsOf(
  { name, saves }: Pick<Cheat, "name" | "saves">,
  runs: readonly ExaminedRun[],
  honest: HonestSteps,
): CheatFindings {
  const sights = runs.flatMap((run) => run.sights);
  const cheated = sights.filter((step) => step.cheated);
  const shown = cheated.length ? cheated : sights;
  const errors = shown.map(({ velocityError }) => velocityError).filter((e) => !Number.isNaN(e));
  const ratios = shown.map(({ ratio }) => ratio);
  const roc = {
    ours: rocCurve(honest.all.map(({ ratio }) => ratio), ratios),
    older: rocCurve(honest.all.map(doubt), shown.map(doubt)),
  };
  return {
    name,
    saves,
    runs: runs.length,
    steps: sights.length,
    cheated: cheated.length / sights.length,
    calls: mean(runs.map((run) => run.calls)),
    work: mean(runs.map((run) => run.work)),
    flagged: mean(shown.map(({ flagged }) => flagged ? 1 : 0)),
    ratio: { least: quantile(ratios, 0), median: quantile(ratios, 0.5) },
    velocityError: { least: quantile(errors, 0), median: quantile(errors, 0.5) },
    similarity: mean(shown.map(({ similarity }) => similarity)),
    latentCosine: mean(shown.map(({ latentCosine }) => latentCosine)),
    auc: { ours: areaUnder(roc.ours), older: areaUnder(roc.older) },
    roc,
    passes: passRatesOf(runs, honest.thresholds),
    plainCatch: mean(runs.map((run) => plainCatch(run.sights))),
    income: { ours: mean(runs.map(incomeOf)), older: mean(runs.map(olderIncomeOf)) },
    sights,
  };
}

function incomeOf({ sights, oddest, work }: ExaminedRun): number {
  // Of the steps that pass: only a miner that was not caught is scored.
  const scored = sights.filter((step) => !step.flagged).map(({ similarity }) => similarity);
  const similarity = scored.length ? mean(scored) : 0;
  return relativeIncome({ work, similarity, passes: passRate(sights, 3, oddest) });
}

function olderIncomeOf({ sights, work }: ExaminedRun): number {
  const similarity = mean(sights.map(({ latentCosine }) => Math.max(0, latentCosine)));
  return relativeIncome({ work, similarity, passes: olderPassRate(sights) });
}

/** Subnet 30's rule's value, so that a larger one is more of a cheat. */
function doubt({ latentCosine }: ExaminedStep): number {
  return 1 - latentCosine;
}

function passRatesOf(
  runs: readonly ExaminedRun[],
  thresholds: Thresholds | undefined,
): PassRates {
  const rate = (drawn: number) =>
    mean(runs.map(({ sights, oddest }) => passRate(sights, drawn, oddest)));
  const atRate = (drawn: 1 | 3 | 5, limits: Thresholds) =>
    mean(
      runs.map(({ sights, oddest }) =>
        passRate(flaggedAbove(sights, limits[drawn]), drawn, oddest)
      ),
    );
  return {
    drawn: { 1: rate(1), 3: rate(3), 5: rate(5) },
    ...(thresholds && {
      atRate: { 1: atRate(1, thresholds), 3: atRate(3, thresholds), 5: atRate(5, thresholds) },
    }),
    older: mean(runs.map(({ sights }) => olderPassRate(sights))),
  };
}

function flaggedAbove(sights: readonly ExaminedStep[], limits: readonly number[]) {
  return sights.map(({ index, velocityError }) => ({
    index,
    flagged: !(velocityError <= limits[index]),
  }));
}

function plainCatch(sights: readonly ExaminedStep[]): number {
  const honest = sights.filter(({ cheated }) => !cheated).length;
  let missed = 1;
  for (let k = 0; k < Math.min(3, sights.length); k++) {
    missed *= Math.max(0, honest - k) / (sights.length - k);
  }
  return 1 - missed;
}
