export { acceptReceipt, type OwnModel, ownSettings } from "./accept_receipt.ts";
export {
  checkImageSteps,
  type ImageCheck,
  type Level,
  type StepFinding,
} from "./check_image_steps.ts";
export { checkImageLeaf, checkOpening, openedLeaf } from "./check_opening.ts";
export { type CheckedReceipt, checkImage, checkReceipt, checkStatement } from "./check_receipt.ts";
export { checkStep, compareStep, passesStep, type StepCheck } from "./check_step.ts";
export { chooseSteps, type ChosenSteps, type StepChoice } from "./choose_steps.ts";
export { checkCombination } from "./combination.ts";
export { catchRate, drawSteps, privateWords, publicWords } from "./draw.ts";
export type { OpeningSource } from "./opening_source.ts";
export { psnr } from "./psnr.ts";
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
export { decodeTolerances, type Tolerance, toleranceAt } from "./tolerance.ts";
export { judge, type Verdict } from "./verdict.ts";
export { type Verification, verifyReceipt } from "./verify_receipt.ts";
