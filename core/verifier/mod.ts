/**
 * The checker's half: draws of steps, the four checks, tolerances, verdicts and reports.
 *
 * ```ts
 * import { catchRate, drawSteps, privateWords, toleranceAt } from "./mod.ts";
 *
 * // Three of thirty steps, from both halves, drawn when the receipt is in hand.
 * const words = privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));
 * console.assert(drawSteps(30, 3, words).length === 3);
 *
 * // A run whose every second step is forged passes one check in eight, about.
 * const forged = Array.from({ length: 15 }, (_, k) => 2 * k);
 * console.assert(catchRate(30, 3, forged) > 0.85);
 *
 * // What a step may be off by depends on how noisy it is.
 * const points = [{ noise: 0.1, tolerance: 1e-2 }, { noise: 10, tolerance: 1e-3 }];
 * const tolerance = { precision: "float32" as const, points };
 * console.assert(toleranceAt(tolerance, { alpha: 1, sigma: 10 }) === 1e-3);
 * ```
 */
export type { OwnModel } from "./accept_receipt.ts";
export {
  calibrationOf,
  type CalibrationRecord,
  type Claim,
  type ClaimedTail,
  claimOf,
  decodeCalibration,
  type HonestImage,
  type Measured,
  schedulerKey,
  signCalibration,
  type SignedCalibration,
  tailOf,
  trustedRecords,
} from "./calibration.ts";
export {
  checkImageSteps,
  type ImageCheck,
  type Level,
  type StepFinding,
  targetsOf,
} from "./check_image_steps.ts";
export { checkImageLeaf, checkOpening, openedLeaf, type ProvenOpening } from "./check_opening.ts";
export {
  type CheckedImage,
  type CheckedReceipt,
  type CheckedStatement,
  checkImage,
  checkNew,
  checkReceipt,
  checkStatement,
  committedFile,
} from "./check_receipt.ts";
export type { ParentEvidence } from "./check_parent.ts";
export { checkStep, compareStep, passesStep, type StepCheck } from "./check_step.ts";
export { chooseSteps, type ChosenSteps, type StepChoice } from "./choose_steps.ts";
export { defaultTolerance, type Guidance } from "./defaults.ts";
export { checkCombination } from "./combination.ts";
export { neededInputs } from "./needed_inputs.ts";
export { compareFile, type OpenedFile } from "./compare_file.ts";
export {
  catchRate,
  drawSteered,
  drawSteps,
  privateWords,
  publicWords,
  steeredCatchRate,
  type WordSource,
} from "./draw.ts";
export { type Drift, driftOf, fitHonestTail, gainOf, type HonestTail } from "./drift.ts";
export { oddestStep, oddnessOf } from "./oddest_step.ts";
export type { OpeningSource } from "./opening_source.ts";
export { psnr } from "./psnr.ts";
export { checkSketches, passesSketches, type SketchCheck } from "./sketch_check.ts";
export type { Report } from "./report.ts";
export {
  finishResidual,
  type Residual,
  type ResidualPair,
  type ResidualSums,
  residualSums,
  sumPartials,
} from "./residual.ts";
export { logNormalTail } from "./tail.ts";
export { toleranceAt, toleranceFor } from "./tolerance.ts";
export { judge, passesImage, type Verdict } from "./verdict.ts";
export { openVerifier, type Verifier } from "./verifier.ts";
export type { Verification } from "./verify_receipt.ts";
