export { gaussianNoise } from "./noise/mod.ts";
export { type Plan, planFromConfig, type PlanRow, replay } from "./schedule/mod.ts";
