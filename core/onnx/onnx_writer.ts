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
import { floatField, message, text, varintField } from "./protobuf_writer.ts";

/** `TensorProto.DataType`. */
export const TYPE_CODES: Readonly<Record<StoredType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  float16: 10,
  bfloat16: 16,
};

const OPSET = 17;

/** The graph as the bytes of a `.onnx` file. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  return encodeModel(graph, encodeWeight);
}

/** The graph with its weights in a second file next to it, named as exporters name it. */
export function encodeOnnxExternal(
  graph: OnnxGraph,
  location: string,
): { readonly model: Uint8Array<ArrayBuffer>; readonly data: Uint8Array<ArrayBuffer> } {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const model = encodeModel(graph, (weight) => {
    // Shapes and axes stay inside, as exporters keep them: onnxruntime reads them before the data.
    if (weight.type === "int64") return encodeWeight(weight);
    const bytes = weightBytes(weight);
    const reference = encodeReference({ ...weight, location, offset, length: bytes.length });
    chunks.push(bytes);
    offset += bytes.length;
    return reference;
  });
  return { model, data: concatBytes(...chunks) };
}

function encodeModel(
  graph: OnnxGraph,
  weight: (weight: Weight) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { opset = OPSET, nodes, references = [] } = graph;
  const microsoft = nodes.some(({ domain }) => domain === "com.microsoft");
  return concatBytes(
    // The version of the format that came with the operators.
    varintField(1, opset >= 21 ? 10 : 8),
    message(
      7,
      ...nodes.map((node) => message(1, encodeNode(node))),
      text(2, "graph"),
      ...graph.weights.map((entry) => message(5, weight(entry))),
      ...references.map((entry) => message(5, encodeReference(entry))),
      ...graph.inputs.map((value) => message(11, encodeValue(value))),
      ...graph.outputs.map((value) => message(12, encodeValue(value))),
    ),
    message(8, varintField(2, opset)),
    ...microsoft ? [message(8, text(1, "com.microsoft"), varintField(2, 1))] : [],
  );
}

function encodeNode({ op, domain, inputs, outputs, attributes = {} }: Node): Uint8Array {
  return concatBytes(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, encodeAttribute(name, value))),
    ...domain ? [text(7, domain)] : [],
  );
}

function encodeAttribute(name: string, value: Attribute): Uint8Array {
  if (typeof value === "number") {
    return concatBytes(text(1, name), varintField(3, value), varintField(20, 2));
  }
  if (typeof value === "string") {
    return concatBytes(text(1, name), text(4, value), varintField(20, 3));
  }
  if ("float" in value) {
    return concatBytes(text(1, name), floatField(2, value.float), varintField(20, 1));
  }
  return concatBytes(
    text(1, name),
    ...value.map((item) => varintField(8, item)),
    varintField(20, 7),
  );
}

function encodeWeight(weight: Weight): Uint8Array {
  return concatBytes(weightHead(weight), message(9, weightBytes(weight)));
}

function encodeReference(reference: WeightReference): Uint8Array {
  const entry = (key: string, value: string) => message(13, text(1, key), text(2, value));
  return concatBytes(
    weightHead(reference),
    entry("location", reference.location),
    entry("offset", String(reference.offset)),
    entry("length", String(reference.length)),
    varintField(14, 1),
  );
}

function weightHead({ name, type, dims }: Pick<WeightReference, "name" | "type" | "dims">) {
  return concatBytes(
    ...dims.map((dim) => varintField(1, dim)),
    varintField(2, TYPE_CODES[type]),
    text(8, name),
  );
}

function weightBytes({ type, values }: Weight): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "float16":
      return new Uint8Array(toHalf(Float32Array.from(values)).buffer);
    case "int32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from([...values], BigInt).buffer);
    default:
      return type satisfies never;
  }
}

function encodeValue({ name, type, dims }: Value): Uint8Array {
  const shape = dims.map((dim) =>
    message(1, typeof dim === "number" ? varintField(1, dim) : text(2, dim))
  );
  const tensor = concatBytes(varintField(1, TYPE_CODES[type]), message(2, ...shape));
  return concatBytes(text(1, name), message(2, message(1, tensor)));
}
