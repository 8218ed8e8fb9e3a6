import {
  receiveTensor,
  type Runtime,
  sendTensor,
  type SentTensor,
  type Session,
} from "../../core/inference/mod.ts";
import type { GraphFiles } from "../../core/model/mod.ts";
import type { ModelDescription } from "../../core/remote/mod.ts";
import { browserRuntime, HttpFiles, openGpu } from "../engine/mod.ts";

const sessions = new Map<number, Session>();
let runtime: Promise<Runtime> | undefined;

/** Opens one graph on this browser's GPU, for a host that compares what it computes. */
export async function openGraph(model: ModelDescription, graph: GraphFiles) {
  if (!runtime) countDispatches();
  runtime ??= openGpu().then(browserRuntime);
  const session = await (await runtime).open(new HttpFiles(model), graph);
  const id = sessions.size;
  sessions.set(id, session);
  return { id, inputs: session.inputs, outputs: session.outputs };
}

/** Runs a graph that {@link openGraph} opened. */
export async function runGraph(
  id: number,
  feeds: Readonly<Record<string, SentTensor>>,
  fetches: readonly string[],
): Promise<Record<string, SentTensor>> {
  const tensors = Object.entries(feeds).map(([name, tensor]) =>
    [name, receiveTensor(tensor)] as const
  );
  const results = await sessions.get(id)?.run(Object.fromEntries(tensors), fetches) ?? {};
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, sendTensor(tensor)]),
  );
}

let dispatches = 0;

/** Kernels that were dispatched in this page since the last call. */
export function takeDispatches(): Promise<number> {
  const taken = dispatches;
  dispatches = 0;
  return Promise.resolve(taken);
}

/** Counts in the page alone: onnxruntime's device is one of the browser's. */
function countDispatches(): void {
  const { prototype } = GPUComputePassEncoder;
  for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"] as const) {
    const dispatch = prototype[name] as (...sizes: unknown[]) => undefined;
    Object.assign(prototype, {
      [name](this: GPUComputePassEncoder, ...sizes: unknown[]) {
        dispatches++;
        return dispatch.apply(this, sizes);
      },
    });
  }
}

export async function closeGraph(id: number): Promise<void> {
  await sessions.get(id)?.release();
}
