export {
  type DenoisedWeights,
  denoisedWeights,
  type Marginal,
  type Plan,
  type PlanRow,
  type PredictionType,
} from "./plan.ts";
export { planFromConfig, type PlanOptions } from "./plan_from_config.ts";
export { schedulerConfigFromName, schedulerNames } from "./presets.ts";
export { replay, type StepModel } from "./replay.ts";
