import type { Runtime } from "../../core/inference/mod.ts";

/**
 * A runtime that lets its thread hear what was sent to it before each call of a network: Deno hands a
 * thread no message as long as it goes from one call to the next, and a run could not be cancelled.
 */
export function listeningRuntime(runtime: Runtime): Runtime {
  return {
    ...runtime,
    open: async (files, graph) => {
      const session = await runtime.open(files, graph);
      return {
        inputs: session.inputs,
        outputs: session.outputs,
        run: async (...of) => {
          await turn();
          return await session.run(...of);
        },
        runInto: async (...of) => {
          await turn();
          await session.runInto(...of);
        },
        release: () => session.release(),
      };
    },
  };
}

/** Of the event loop, messages included; a microtask, or `setImmediate`, is none. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
