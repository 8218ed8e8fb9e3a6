import type { Contender } from "./contender.ts";
import { GraphBuilder, onnxContender, readFloats } from "./onnx_contender.ts";
import type { OnnxGraph } from "../../onnx/mod.ts";
import { residualBytes, type ResidualData } from "./residual_data.ts";
import type { Workspace } from "./workbench.ts";

const INPUTS = ["state", "denoised", "next", "denoisedAgain", "nextAgain"] as const;
const W = "velocity";
const U = "velocityAgain";
const E = "difference";

/** The ten sums of `ResidualSums`, in its order, as products of these. */
const PRODUCTS = [
  ["denoised", "denoisedAgain"],
  ["denoised", "denoised"],
  ["denoisedAgain", "denoisedAgain"],
  [W, U],
  [W, W],
  [U, U],
  [E, E],
  ["next", "nextAgain"],
  ["next", "next"],
  ["nextAgain", "nextAgain"],
] as const;
const OUTPUTS = PRODUCTS.map((_, k) => `sum_${k}`);

/**
 * The residual as an ONNX graph on onnxruntime's WebGPU, from float32 throughout and without the
 * count of numbers that are not finite.
 */
export async function residualGraph(space: Workspace, data: ResidualData): Promise<Contender> {
  const { n, all, pairs, tensors } = data;
  const feeds = Object.fromEntries(INPUTS.map((name) => {
    const buffer = space.buffer(4 * all, `graph ${name}`, tensors[name]);
    return [name, { type: "float32", dims: [pairs, n], buffer } as const];
  }));
  const sums = OUTPUTS.map((name) => space.buffer(4 * pairs, `graph ${name}`));
  const outputs = Object.fromEntries(
    OUTPUTS.map((name, k) => [name, { type: "float32", dims: [pairs], buffer: sums[k] } as const]),
  );
  return await onnxContender(space, {
    name: "onnxruntime graph",
    bytes: residualBytes(all),
    graph: graphOf(data),
    feeds,
    outputs,
    read: async () => {
      const parts = sums.map((buffer) => ({ buffer, bytes: 4 * pairs }));
      const values = await readFloats(space, parts);
      return sums.map((_, k) =>
        values.subarray(k * pairs, (k + 1) * pairs).reduce((sum, value) => sum + value, 0) / all
      );
    },
  });
}

function graphOf({ n, pairs, alpha }: ResidualData): OnnxGraph {
  const graph = new GraphBuilder();
  const scaled = graph.add("Mul", ["state", "alpha"]);
  graph.add("Sub", [scaled, "denoised"], W);
  graph.add("Sub", [scaled, "denoisedAgain"], U);
  graph.add("Sub", ["denoisedAgain", "denoised"], E);
  for (const [k, factors] of PRODUCTS.entries()) {
    graph.add("ReduceSum", [graph.add("Mul", factors), "axes"], OUTPUTS[k], { keepdims: 0 });
  }
  return {
    inputs: INPUTS.map((name) => ({ name, type: "float32", dims: [pairs, n] })),
    outputs: OUTPUTS.map((name) => ({ name, type: "float32", dims: [pairs] })),
    weights: [
      { name: "alpha", type: "float32", dims: [], values: [alpha] },
      { name: "axes", type: "int64", dims: [1], values: [1] },
    ],
    nodes: graph.nodes,
  };
}
