import { stopped } from "../runtime/mod.ts";
import type { Log } from "../telemetry/mod.ts";

/** A neuron that takes requests, until it is disposed. */
export interface RunningNeuron extends AsyncDisposable {
  /** http://... */
  readonly url: string;
  readonly hotkey: string;
  /** What still runs, in numbers: `{ running: 2, queued: 1 }`. */
  readonly pending?: () => Readonly<Record<string, number>>;
}

/**
 * Logs its address, and when asked to stop ends it, once what runs is finished. A
 * second Ctrl-C ends the process at once.
 * @param what it does: "mining".
 */
export async function runNeuron(what: string, neuron: RunningNeuron, log: Log): Promise<void> {
  const { hotkey, url } = neuron;
  log(what, { hotkey, url });
  await stopped();
  log("stopping", {
    ...neuron.pending?.(),
    waiting: "for what runs; another Ctrl-C ends it at once",
  });
  await neuron[Symbol.asyncDispose]();
  log("stopped", {});
}
