/**
 * Cheats to try against the checks, what the checks see of each, and what each earns. The study
 * that runs them all is `deno task adversary`; what is not caught is in `NOT_CAUGHT.md`.
 *
 * ```ts
 * import { areaUnder, relativeIncome, rocCurve, zoo } from "./mod.ts";
 *
 * console.assert(zoo.some(({ name }) => name === "every second call reused"));
 *
 * // Velocity errors of honest and of cheated steps that no threshold confuses.
 * console.assert(areaUnder(rocCurve([1e-4, 2e-4], [0.1, 0.3])) === 1);
 *
 * // Half the work, but one check in two fails: the weight is lost in nearly every round.
 * console.assert(relativeIncome({ work: 0.5, similarity: 1, passes: 0.5 }) < 0.1);
 * console.assert(relativeIncome({ work: 1, similarity: 1, passes: 1 }) === 1);
 * ```
 */
export { alterWeights } from "./altered_weights.ts";
export { CallCounter } from "./call_counter.ts";
export { cheatingEngine } from "./cheating_engine.ts";
export { type DriftRates, driftRates } from "./drift_rates.ts";
export { type Checker, type Examination, type ExaminedStep, examineRun } from "./examine.ts";
export { examineFiles, type FileFinding } from "./examine_file.ts";
export { fileCheats } from "./file_cheats.ts";
export { type DrawRates, drawRatesOf, lyingRatesOf, meanRates } from "./draw_study.ts";
export { type CheatFindings, type ExaminedRun, findingsOf } from "./findings.ts";
export { type Alteration, type Cheat, type CheatedRun, type Lab, type States } from "./lab.ts";
export { imprecise } from "./model_cheats.ts";
export { honest } from "./prediction_cheats.ts";
export { DEFAULT_ROUND, relativeIncome } from "./profit.ts";
export { areaUnder, olderPassRate, passRate, quantile, rocCurve } from "./statistics.ts";
export { FALSE_REJECTS, type Thresholds, thresholdsOf } from "./thresholds.ts";
export { type SourceCheat, sourceCheats } from "./source_cheats.ts";
export { checkRun, runOf, serveRun } from "./checked_run.ts";
export {
  examineCheat,
  type ExaminedInputs,
  honestCheck,
  type InputChecker,
} from "./examine_inputs.ts";
export {
  askedRun,
  INPUT_KINDS,
  type InputKind,
  type InputLab,
  type InputOrder,
} from "./input_runs.ts";
export { stepForgeries } from "./step_forgeries.ts";
export {
  decodeStudy,
  LIMITS,
  type StoredStudy,
  studyConditions,
  type StudyPart,
  studyParts,
} from "./stored_study.ts";
export { zoo } from "./zoo.ts";
