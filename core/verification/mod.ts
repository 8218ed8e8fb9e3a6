export {
  type CheckedReceipt,
  checkImage,
  checkReceipt,
  checkStatement,
  type ReceiptExpectation,
} from "./check_receipt.ts";
export {
  checkImageSteps,
  type CommittedImage,
  type ImageCheck,
  type ImageFindings,
  type Level,
  type StepFinding,
} from "./check_image_steps.ts";
export { checkImageLeaf, checkOpening, openedLeaf, type ProvenOpening } from "./check_opening.ts";
export { checkStep, compareStep, passesStep, type StepCheck } from "./check_step.ts";
export {
  checkCombination,
  type Combination,
  type CombinationCheck,
  type Term,
} from "./combination.ts";
export { catchRate, drawSteps, privateWords, publicWords, type WordSource } from "./draw.ts";
export { DEFAULT_TOLERANCES, psnrFloor } from "./defaults.ts";
export { psnr } from "./psnr.ts";
export {
  finishResidual,
  type Residual,
  type ResidualPair,
  type ResidualSums,
  residualSums,
  sumPartials,
} from "./residual.ts";
export { logNormalTail } from "./tail.ts";
export { decodeTolerances, type Tolerance, toleranceAt } from "./tolerance.ts";
export {
  type ImageEvidence,
  judge,
  type Judgement,
  type StepEvidence,
  type Verdict,
} from "./verdict.ts";
