import type { Field, ProtobufReader } from "./protobuf.ts";

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const GRAPH_OF_MODEL = 7;
const NODE_OF_GRAPH = 1;
const INITIALIZER_OF_GRAPH = 5;

/** The weights of an ONNX file: each a TensorProto. @param size of the file, in bytes. */
export function onnxWeights(reader: ProtobufReader, size: number): AsyncGenerator<Field> {
  return ofGraph(reader, size, INITIALIZER_OF_GRAPH);
}

/** Its operations: each a NodeProto. @param size of the file, in bytes. */
export function onnxNodes(reader: ProtobufReader, size: number): AsyncGenerator<Field> {
  return ofGraph(reader, size, NODE_OF_GRAPH);
}

async function* ofGraph(
  reader: ProtobufReader,
  size: number,
  number: number,
): AsyncGenerator<Field> {
  for await (const graph of nested(reader, { start: 0, end: size }, GRAPH_OF_MODEL)) {
    yield* nested(reader, graph, number);
  }
}

async function* nested(
  reader: ProtobufReader,
  { start, end }: Pick<Field, "start" | "end">,
  number: number,
): AsyncGenerator<Field> {
  for await (const field of reader.fields(start, end)) {
    if (field.nested && field.number === number) yield field;
  }
}
