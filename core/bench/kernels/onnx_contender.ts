import type { GpuTensor } from "../../inference/mod.ts";
import type { ModelFiles } from "../../model/mod.ts";
import type { Contender, Output } from "./contender.ts";
import { encodeOnnx, type Node, type OnnxGraph } from "../../onnx/mod.ts";
import type { Workspace } from "./workbench.ts";

/** The same computation as a graph, with tensors on the device. */
export interface OnnxContender {
  readonly name: string;
  /** Bytes that the fused kernel would move: onnxruntime moves more, a pass an operator. */
  readonly bytes: number;
  readonly graph: OnnxGraph;
  readonly feeds: Readonly<Record<string, GpuTensor>>;
  readonly outputs: Readonly<Record<string, GpuTensor>>;
  /** What came out, after a run. */
  readonly read: () => Promise<ArrayLike<number>>;
}

/**
 * @throws AppError `model_invalid` when onnxruntime refuses the graph.
 */
export async function onnxContender(
  space: Workspace,
  { name, bytes, graph, feeds, outputs, read }: OnnxContender,
): Promise<Contender> {
  const { runtime, timer } = space.bench;
  const file = `${name}.onnx`;
  const session = await runtime.open(
    graphFile(file, graph),
    { graph: file, external: [], largestTensor: 0 },
  );
  space.onDispose(() => session.release());
  const submit = () => session.runInto(feeds, outputs);
  return {
    name,
    kind: "onnx",
    bytes,
    chosen: false,
    run: (times) => timer.timeSubmissions(times, submit),
    result: async () => {
      await submit();
      return await read();
    },
  };
}

/** A model's folder that is one graph in memory. */
function graphFile(path: string, graph: OnnxGraph): ModelFiles {
  const bytes = encodeOnnx(graph);
  return {
    name: "bench",
    location: "memory",
    paths: [path],
    has: (asked) => asked === path,
    size: () => bytes.length,
    text: () => Promise.resolve(""),
    bytes: () => Promise.resolve(bytes),
  };
}

/** Collects a graph's nodes: each operator gives the name of its output. */
export class GraphBuilder {
  readonly nodes: Node[] = [];

  /** @param output the name, for outputs of the graph. */
  add(
    op: string,
    inputs: readonly string[],
    output = `${op}_${this.nodes.length}`,
    attributes?: Node["attributes"],
  ): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** Equal parts along the first axis. */
  split(input: string, outputs: readonly string[]): void {
    this.nodes.push({ op: "Split", inputs: [input], outputs, attributes: { axis: 0 } });
  }
}

/** Reads buffers one after the other as f32, joined. */
export async function readFloats(
  { bench: { gpu } }: Workspace,
  parts: readonly Pick<Output, "buffer" | "bytes">[],
): Promise<Float32Array> {
  const encoder = gpu.device.createCommandEncoder({ label: "check" });
  const readbacks = parts.map(({ buffer, bytes }) => gpu.staging.copy(encoder, buffer, bytes));
  gpu.device.queue.submit([encoder.finish()]);
  const floats: number[] = [];
  for (const readback of readbacks) {
    for (const value of new Float32Array((await readback.read()).buffer)) floats.push(value);
  }
  return Float32Array.from(floats);
}
