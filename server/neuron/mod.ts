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
export { entriesOf, neuronRoutes } from "./routes.ts";
export { runNeuron, type RunningNeuron } from "./run_neuron.ts";
export { VERSION, versionKey } from "./version.ts";
