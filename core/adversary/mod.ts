export { alterWeights } from "./altered_weights.ts";
export { type Checker, examineRun, type StepSight } from "./examine.ts";
export { type CheatFindings, type ExaminedRun, findingsOf } from "./findings.ts";
export { type Alteration, type Cheat, type CheatedRun, type Lab, type States } from "./lab.ts";
export { float16Weights } from "./model_cheats.ts";
export { honest } from "./prediction_cheats.ts";
export { DEFAULT_ROUND, relativeIncome } from "./profit.ts";
export { areaUnder, olderPassRate, passRate, quantile, rocCurve } from "./statistics.ts";
export { zoo } from "./zoo.ts";
