export { gaussianNoise } from "./noise/mod.ts";
export { type Plan, planFromConfig, type PlanRow, replay } from "./schedule/mod.ts";
export { emitWeights, processWeights, type ScoresToWeigh, type Weights } from "./incentive/mod.ts";
