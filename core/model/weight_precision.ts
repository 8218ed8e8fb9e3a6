import { AppError } from "../error.ts";
import type { ModelFiles } from "./model_files.ts";
import type { NetworkFiles } from "./model_layout.ts";
import { onnxWeights, ProtobufReader } from "../onnx/mod.ts";

// Of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: a field's number, and a type's code.
const DATA_TYPE_OF_TENSOR = 2;
const FLOAT16 = 10;

/**
 * What a network computes in, by its weights: float16 when any of them has 16 bits, since a host that
 * can computes with them as they are. A graph's inputs do not show it: exporters may leave those
 * float32. Reads headers, not weights.
 * @throws AppError `model_invalid` when the file is no whole ONNX graph.
 */
export async function networkPrecision(
  files: ModelFiles,
  network: NetworkFiles,
): Promise<"float32" | "float16"> {
  if ("graph" in network) return await graphPrecision(files, network.graph);
  const types = [...network.tensors.values()].map(({ dtype }) => dtype);
  return types.some((type) => type === "F16" || type === "BF16") ? "float16" : "float32";
}

async function graphPrecision(files: ModelFiles, graph: string): Promise<"float32" | "float16"> {
  const read = (start: number, end: number) => files.bytes(graph, { start, end });
  const reader = new ProtobufReader(read, files.size(graph), (why) =>
    new AppError(
      "model_invalid",
      `Cannot use the model ${files.name}: ${graph} is not a whole ONNX file, ${why}`,
    ));
  for await (const tensor of onnxWeights(reader, files.size(graph))) {
    for await (const { number, start } of reader.fields(tensor.start, tensor.end)) {
      if (number !== DATA_TYPE_OF_TENSOR) continue;
      if ((await read(start, start + 1))[0] === FLOAT16) return "float16";
      break;
    }
  }
  return "float32";
}
