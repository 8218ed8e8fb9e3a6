export type { GenerateOptions, Generation, ImageEngine, StepProgress } from "./engine.ts";
export { Pipeline } from "./pipeline.ts";
export { RecoveringEngine } from "./recovering_engine.ts";
export { toldOnce } from "./told_once.ts";
