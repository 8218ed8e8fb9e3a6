import type { Runtime, Session } from "./runtime.ts";
import type { GpuTensor, Tensor } from "./tensor.ts";

/** One call of a graph. */
export interface SessionRun {
  /** The graph's file: `unet/model.onnx`. */
  readonly graph: string;
  readonly feeds: Readonly<Record<string, Tensor | GpuTensor>>;
  /** Until the call came back: on a GPU that is when the work was handed over. */
  readonly milliseconds: number;
}

/** A runtime that reports every call of its sessions once it returned. For benchmarks and tests. */
export function observeRuntime(runtime: Runtime, observe: (run: SessionRun) => void): Runtime {
  return {
    ...runtime,
    open: async (files, graph) =>
      observeSession(
        await runtime.open(files, graph),
        (feeds, milliseconds) => observe({ graph: graph.graph, feeds, milliseconds }),
      ),
  };
}

function observeSession(
  session: Session,
  observe: (feeds: SessionRun["feeds"], milliseconds: number) => void,
): Session {
  const timed = async <T>(feeds: SessionRun["feeds"], run: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await run();
    observe(feeds, performance.now() - started);
    return result;
  };
  return {
    inputs: session.inputs,
    outputs: session.outputs,
    run: (feeds, fetches) => timed(feeds, () => session.run(feeds, fetches)),
    runInto: (feeds, outputs) => timed(feeds, () => session.runInto(feeds, outputs)),
    release: () => session.release(),
  };
}
