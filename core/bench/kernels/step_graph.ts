import type { GpuTensor } from "../../inference/mod.ts";
import type { Contender } from "./contender.ts";
import { GraphBuilder, onnxContender, readFloats } from "./onnx_contender.ts";
import type { OnnxGraph, Value } from "../../onnx/mod.ts";
import { networkOutput, stepBytes, type StepData } from "./step_data.ts";
import type { Workspace } from "./workbench.ts";

// ONNX's numbers of types.
const FLOAT32 = 1;
const FLOAT16 = 10;
/** 2^13 + 1 keeps 11 of the 24 bits of a float32. @see T. J. Dekker, 1971, doi:10.1007/BF01397083 */
const SPLITTER = 8193;

/**
 * The step as an ONNX graph on onnxruntime's WebGPU: from the network's output [2 * batch, n] to its
 * next input, as a loop around onnxruntime would have it, with our kernel's roundings to float16:
 * casts where the adapter has shader-f16, else Veltkamp's splitting in float32, which gives the same
 * for numbers that float16 holds as normal ones. Only with casts does it give the float16 bits.
 */
export async function stepGraph(space: Workspace, data: StepData): Promise<Contender> {
  const halves = space.bench.gpu.device.features.has("shader-f16");
  const graph = graphOf(data, halves);
  const given = { state: data.state, before: data.before, output: networkOutput(data) };
  const feeds = tensors(
    graph.inputs,
    (name, bytes) => space.buffer(bytes, `graph ${name}`, given[name as keyof typeof given]),
  );
  const outputs = tensors(graph.outputs, (name, bytes) => space.buffer(bytes, `graph ${name}`));
  return await onnxContender(space, {
    name: "onnxruntime graph",
    bytes: stepBytes(data.all, 4),
    graph,
    feeds,
    outputs,
    read: () => readFloats(space, [{ buffer: outputs.next.buffer, bytes: 4 * data.all }]),
  });
}

function tensors(
  values: readonly Value[],
  make: (name: string, bytes: number) => GPUBuffer,
): Record<string, GpuTensor> {
  return Object.fromEntries(values.map(({ name, type, dims }) => {
    const sides = dims.map(Number);
    const elements = sides.reduce((product, side) => product * side, 1);
    const buffer = make(name, elements * (type === "float16" ? 2 : 4));
    return [name, { type, dims: sides, buffer }];
  }));
}

function graphOf({ n, row, batch }: StepData, halves: boolean): OnnxGraph {
  const graph = new GraphBuilder();
  const images = batch.seeds.length;
  const { fromX, fromOut, inScale, states: [state0], denoised: [denoised0, denoised1 = 0] } = row;
  const weights = {
    scale: batch.guidanceScale,
    fromX,
    fromOut,
    state0,
    denoised0,
    denoised1,
    inScale,
    splitter: SPLITTER,
  };
  const sum = (terms: readonly string[], output: string, bits: string) => {
    const exact = graph.add("Add", terms);
    if (halves) {
      graph.add("Cast", [exact], bits, { to: FLOAT16 });
      return graph.add("Cast", [bits], output, { to: FLOAT32 });
    }
    const scaled = graph.add("Mul", [exact, "splitter"]);
    return graph.add("Add", [scaled, graph.add("Sub", [exact, scaled])], output);
  };
  graph.split("output", ["negative", "positive"]);
  const steered = graph.add("Mul", [graph.add("Sub", ["positive", "negative"]), "scale"]);
  const guided = graph.add("Mul", [graph.add("Add", ["negative", steered]), "fromOut"]);
  const scaled = graph.add("Mul", ["state", "fromX"]);
  sum([scaled, guided], "denoised", "denoisedBits");
  const kept = graph.add("Mul", ["state", "state0"]);
  const newer = graph.add("Add", [kept, graph.add("Mul", ["denoised", "denoised0"])]);
  sum([newer, graph.add("Mul", ["before", "denoised1"])], "next", "stateBits");
  const input = graph.add("Mul", ["next", "inScale"]);
  graph.add("Concat", [input, input], "input", { axis: 0 });
  const value = (name: string, type: Value["type"] = "float32", rows = images): Value => (
    { name, type, dims: [rows, n] }
  );
  const bits = [value("denoisedBits", "float16"), value("stateBits", "float16")];
  return {
    inputs: [value("state"), value("before"), value("output", "float32", 2 * images)],
    outputs: [
      value("denoised"),
      value("next"),
      value("input", "float32", 2 * images),
      ...(halves ? bits : []),
    ],
    weights: Object.entries(weights).map(([name, weight]) => (
      { name, type: "float32", dims: [], values: [weight] }
    )),
    nodes: graph.nodes,
  };
}
