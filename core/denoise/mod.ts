export { denoise } from "./loop.ts";
export type { LatentDims, Leaf } from "./loop_input.ts";
export { predictSteps } from "./predict_steps.ts";
export { stepLatent } from "./step.ts";
export { packPlan, ringPlace, stepRow } from "./step_rows.ts";
export { type NetworkType, prepareSteps, stepKernel, type StepRun } from "./step_run.ts";
export type { StepState } from "./step_state.ts";
