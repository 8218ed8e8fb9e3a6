/**
 * Graphs as the bytes of `.onnx` files.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto for the field numbers.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { toHalf } from "../half.ts";
import type {
  Attribute,
  Node,
  OnnxGraph,
  StoredType,
  Value,
  Weight,
  WeightReference,
} from "./graph.ts";
import { ProtobufWriter } from "./protobuf_writer.ts";

/** `TensorProto.DataType`. */
export const TYPE_CODES: Readonly<Record<StoredType | Weight["type"], number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  float16: 10,
  bfloat16: 16,
};

const OPSET = 17;

/** The graph as the bytes of a `.onnx` file. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  return encodeModel(graph, writeWeight);
}

/** The graph with its weights in a second file next to it, named as exporters name it. */
export function encodeOnnxExternal(
  graph: OnnxGraph,
  location: string,
): { readonly model: Uint8Array<ArrayBuffer>; readonly data: Uint8Array<ArrayBuffer> } {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const model = encodeModel(graph, (out, weight) => {
    // Shapes and axes stay inside, as exporters keep them: onnxruntime reads them before the data.
    const { type } = weight;
    if (type === "int64" || type === "uint8") return writeWeight(out, weight);
    const bytes = weightBytes(weight);
    writeReference(out, { ...weight, type, location, offset, length: bytes.length });
    chunks.push(bytes);
    offset += bytes.length;
  });
  return { model, data: concatBytes(...chunks) };
}

function encodeModel(
  graph: OnnxGraph,
  weight: (out: ProtobufWriter, weight: Weight) => void,
): Uint8Array<ArrayBuffer> {
  const { opset = OPSET, nodes } = graph;
  const out = new ProtobufWriter();
  // The version of the format that came with the operators.
  out.varint(1, opset >= 21 ? 10 : 8);
  out.message(7, () => writeGraph(out, graph, weight));
  out.message(8, () => out.varint(2, opset));
  if (nodes.some(({ domain }) => domain === "com.microsoft")) {
    out.message(8, () => {
      out.text(1, "com.microsoft");
      out.varint(2, 1);
    });
  }
  return out.finish();
}

function writeGraph(
  out: ProtobufWriter,
  { nodes, weights, references = [], inputs, outputs }: OnnxGraph,
  weight: (out: ProtobufWriter, weight: Weight) => void,
): void {
  for (const node of nodes) out.message(1, () => writeNode(out, node));
  out.text(2, "graph");
  for (const entry of weights) out.message(5, () => weight(out, entry));
  for (const entry of references) out.message(5, () => writeReference(out, entry));
  for (const value of inputs) out.message(11, () => writeValue(out, value));
  for (const value of outputs) out.message(12, () => writeValue(out, value));
}

function writeNode(
  out: ProtobufWriter,
  { op, domain, inputs, outputs, attributes = {} }: Node,
): void {
  for (const name of inputs) out.text(1, name);
  for (const name of outputs) out.text(2, name);
  out.text(4, op);
  for (const [name, value] of Object.entries(attributes)) {
    out.message(5, () => writeAttribute(out, name, value));
  }
  if (domain) out.text(7, domain);
}

function writeAttribute(out: ProtobufWriter, name: string, value: Attribute): void {
  out.text(1, name);
  if (typeof value === "number") {
    out.varint(3, value);
    out.varint(20, 2);
  } else if (typeof value === "string") {
    out.text(4, value);
    out.varint(20, 3);
  } else if ("float" in value) {
    out.float(2, value.float);
    out.varint(20, 1);
  } else {
    for (const item of value) out.varint(8, item);
    out.varint(20, 7);
  }
}

function writeWeight(out: ProtobufWriter, weight: Weight): void {
  writeWeightHead(out, weight);
  out.bytes(9, weightBytes(weight));
}

function writeReference(out: ProtobufWriter, reference: WeightReference): void {
  const entry = (key: string, value: string) =>
    out.message(13, () => {
      out.text(1, key);
      out.text(2, value);
    });
  writeWeightHead(out, reference);
  entry("location", reference.location);
  entry("offset", String(reference.offset));
  entry("length", String(reference.length));
  out.varint(14, 1);
}

function writeWeightHead(
  out: ProtobufWriter,
  { name, type, dims }: Pick<Weight | WeightReference, "name" | "type" | "dims">,
): void {
  for (const dim of dims) out.varint(1, dim);
  out.varint(2, TYPE_CODES[type]);
  out.text(8, name);
}

function weightBytes({ type, values }: Weight): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "float16":
      return new Uint8Array(toHalf(Float32Array.from(values)).buffer);
    case "uint8":
      return Uint8Array.from(values);
    case "int32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from([...values], BigInt).buffer);
    default:
      return type satisfies never;
  }
}

function writeValue(out: ProtobufWriter, { name, type, dims }: Value): void {
  out.text(1, name);
  out.message(2, () =>
    out.message(1, () => {
      out.varint(1, TYPE_CODES[type]);
      out.message(2, () => writeShape(out, dims));
    }));
}

function writeShape(out: ProtobufWriter, dims: Value["dims"]): void {
  for (const dim of dims) {
    out.message(1, () => typeof dim === "number" ? out.varint(1, dim) : out.text(2, dim));
  }
}
