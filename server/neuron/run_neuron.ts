import { logLine } from "../telemetry/mod.ts";
import { stopped } from "../runtime/mod.ts";

/** A neuron that takes requests, until it is disposed. */
export interface RunningNeuron extends AsyncDisposable {
  /** http://... */
  readonly url: string;
  readonly hotkey: string;
}

/** Says where it is, and ends it when it is asked to stop. @param what it does: "Mining". */
export async function runNeuron(what: string, neuron: RunningNeuron): Promise<void> {
  console.log(`${what} as ${neuron.hotkey} at ${neuron.url}`);
  await stopped();
  logLine("stopping", {});
  await neuron[Symbol.asyncDispose]();
}
