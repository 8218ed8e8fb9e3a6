/**
 * Writes small ONNX graphs: the bench's, and those of tests that need a graph without a model.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto for the field numbers.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { toHalf } from "../half.ts";

export type OnnxType = "float32" | "float16" | "int32" | "int64";
const TYPE_CODES: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  float16: 10,
};

export interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | string)[];
}

export interface Weight {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly values: readonly number[] | Float32Array;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxGraph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly weights: readonly Weight[];
  readonly nodes: readonly Node[];
}

const OPSET = 17;
const IR_VERSION = 8;

/** The graph as the bytes of a `.onnx` file. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  return encodeModel(graph, encodeWeight);
}

/** The graph with its weights in a second file next to it, named as exporters name it. */
export function encodeOnnxExternal(
  graph: OnnxGraph,
  dataName: string,
): { readonly model: Uint8Array<ArrayBuffer>; readonly data: Uint8Array<ArrayBuffer> } {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const model = encodeModel(graph, (weight) => {
    // Shapes and axes stay inside, as exporters keep them: onnxruntime reads them before the data.
    if (weight.type === "int64") return encodeWeight(weight);
    const bytes = weightBytes(weight);
    const entry = (key: string, value: string) => message(13, text(1, key), text(2, value));
    const reference = concatBytes(
      entry("location", dataName),
      entry("offset", String(offset)),
      entry("length", String(bytes.length)),
      varintField(14, 1),
    );
    chunks.push(bytes);
    offset += bytes.length;
    return concatBytes(weightHead(weight), reference);
  });
  return { model, data: concatBytes(...chunks) };
}

function encodeModel(
  graph: OnnxGraph,
  weight: (weight: Weight) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const body = concatBytes(
    ...graph.nodes.map((node) => message(1, encodeNode(node))),
    text(2, "graph"),
    ...graph.weights.map((entry) => message(5, weight(entry))),
    ...graph.inputs.map((value) => message(11, encodeValue(value))),
    ...graph.outputs.map((value) => message(12, encodeValue(value))),
  );
  return concatBytes(
    varintField(1, IR_VERSION),
    message(7, body),
    message(8, varintField(2, OPSET)),
  );
}

function encodeNode({ op, inputs, outputs, attributes = {} }: Node): Uint8Array {
  return concatBytes(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, encodeAttribute(name, value))),
  );
}

/** Whole numbers only: enough for the operators used here. */
function encodeAttribute(name: string, value: number | readonly number[]): Uint8Array {
  return typeof value === "number"
    ? concatBytes(text(1, name), varintField(3, value), varintField(20, 2))
    : concatBytes(text(1, name), ...value.map((item) => varintField(8, item)), varintField(20, 7));
}

function encodeWeight(weight: Weight): Uint8Array {
  return concatBytes(weightHead(weight), message(9, weightBytes(weight)));
}

function weightHead({ name, type, dims }: Weight): Uint8Array {
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
  const tensor = concatBytes(varintField(1, TYPE_CODES[type]), message(2, concatBytes(...shape)));
  return concatBytes(text(1, name), message(2, message(1, tensor)));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function varintField(field: number, value: number): Uint8Array {
  return concatBytes(varint(field * 8), varint(value));
}

function message(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  return concatBytes(varint(field * 8 + 2), varint(body.length), body);
}

function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value));
}
