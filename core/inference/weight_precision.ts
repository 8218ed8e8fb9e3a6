import { AppError } from "../error.ts";
import type { ModelFiles } from "./model_files.ts";
import { type Field, ProtobufReader } from "./protobuf.ts";

// Field numbers and the type's code of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const GRAPH_OF_MODEL = 7;
const INITIALIZER_OF_GRAPH = 5;
const DATA_TYPE_OF_TENSOR = 2;
const FLOAT16 = 10;

/**
 * What an ONNX graph computes in, by its weights: float16 when any of them is. Its inputs do not
 * tell, since exporters may leave those float32. Reads headers, not weights.
 * @throws AppError `model_invalid` when the file is no whole ONNX graph.
 */
export async function weightPrecision(
  files: ModelFiles,
  graph: string,
): Promise<"float32" | "float16"> {
  const read = (start: number, end: number) => files.bytes(graph, { start, end });
  const reader = new ProtobufReader(read, files.size(graph), (why) =>
    new AppError(
      "model_invalid",
      `Cannot use the model ${files.name}: ${graph} is not a whole ONNX file, ${why}`,
    ));
  for await (const inside of nested(reader, { start: 0, end: files.size(graph) }, GRAPH_OF_MODEL)) {
    for await (const tensor of nested(reader, inside, INITIALIZER_OF_GRAPH)) {
      for await (const { number, start } of reader.fields(tensor.start, tensor.end)) {
        if (number !== DATA_TYPE_OF_TENSOR) continue;
        if ((await read(start, start + 1))[0] === FLOAT16) return "float16";
        break;
      }
    }
  }
  return "float32";
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
