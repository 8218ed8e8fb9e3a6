/**
 * What miners and validators have in common: flags, the folder of their state, the engine that they
 * open, metrics, the routes that both serve, and the version. What only one of them does is in
 * `server/miner` or `server/validator`.
 *
 * ```ts
 * import { VERSION, versionKey } from "./mod.ts";
 *
 * console.log(VERSION, versionKey("1.2.3")); // ... 1023n, which weights carry to the chain
 * ```
 */
export { checkByRules, type ModelRules, type NeuronEngine, openEngine } from "./engine.ts";
export { EngineWatch, warmUp } from "./engine_watch.ts";
export {
  addLogOptions,
  addNeuronOptions,
  listOption,
  logOptions,
  MINER_PORT,
  type NeuronFlags,
  type NeuronOptions,
  neuronOptions,
} from "./flags.ts";
export { Metrics } from "./metrics.ts";
export { entriesOf, neuronRoutes } from "./routes.ts";
export { runNeuron, type RunningNeuron } from "./run_neuron.ts";
export { stateFolder, stateRoot } from "./state_folder.ts";
export { VERSION, versionKey } from "./version.ts";
