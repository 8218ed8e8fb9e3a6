export { onnxWeights } from "./onnx_weights.ts";
export { encodeOnnx, type Node, type OnnxGraph, type Value } from "./onnx_writer.ts";
export { type Field, ProtobufReader } from "./protobuf.ts";
