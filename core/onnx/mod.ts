/**
 * ONNX files as data: a writer of small graphs, and a reader that walks a file's weights without
 * holding the file.
 *
 * ```ts
 * import { encodeOnnx, onnxWeights, ProtobufReader } from "./mod.ts";
 *
 * const file = encodeOnnx({
 *   inputs: [{ name: "x", type: "float32", dims: ["n", 2] }],
 *   outputs: [{ name: "y", type: "float32", dims: ["n", 2] }],
 *   weights: [{ name: "b", type: "float32", dims: [2], values: [1, 2] }],
 *   nodes: [{ op: "Add", inputs: ["x", "b"], outputs: ["y"] }],
 * });
 * console.assert(file.length > 0);
 * ```
 */
export { onnxWeights } from "./onnx_weights.ts";
export { encodeOnnx, type Node, type OnnxGraph, type Value } from "./onnx_writer.ts";
export { type Field, ProtobufReader } from "./protobuf.ts";
