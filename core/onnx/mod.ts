/**
 * ONNX files as data: graphs and their encoding, a builder on which a network reads like its
 * forward pass, and a reader that walks a file's weights without holding the file.
 *
 * ```ts
 * import { encodeOnnx, GraphBuilder } from "./mod.ts";
 *
 * // y = x + b, where b lies in a file of weights.
 * const g = new GraphBuilder();
 * const x = g.input({ name: "x", type: "float32", dims: ["n", 2] });
 * const b = g.reference({
 *   ...{ name: "b", type: "float32", dims: [2] },
 *   ...{ location: "model.safetensors", offset: 72, length: 8 },
 * });
 * g.output({ name: "y", type: "float32", dims: ["n", 2] }, g.op("Add", [x, b]));
 * console.assert(encodeOnnx(g.finish()).length > 0);
 * ```
 */
export { GraphBuilder, type Variable } from "./builder.ts";
export type { Node, OnnxGraph, StoredType, Value, Weight, WeightReference } from "./graph.ts";
export { onnxNodes, onnxWeights } from "./onnx_weights.ts";
export { encodeOnnx } from "./onnx_writer.ts";
export { type Field, ProtobufReader } from "./protobuf.ts";
