/** What miners and validators have in common. */
export { openEngine } from "./engine.ts";
export {
  addNeuronOptions,
  listOption,
  type NeuronFlags,
  type NeuronOptions,
  neuronOptions,
} from "./flags.ts";
export { Metrics } from "./metrics.ts";
export { entriesAsked, neuronRoutes } from "./routes.ts";
export { runNeuron, type RunningNeuron, VERSION } from "./run_neuron.ts";
