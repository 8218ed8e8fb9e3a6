export { benchLoops, wantsLoops, withLoops } from "./loops.ts";
export { type RecordedRun, type StepMachine, stepMachine } from "./single_steps.ts";
