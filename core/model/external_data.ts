import { AppError } from "../error.ts";
import type { ModelFiles } from "./model_files.ts";
import { checkModelPath } from "./model_path.ts";
import { type Field, ProtobufReader } from "../onnx/mod.ts";

/** A file of weights that an ONNX graph refers to. */
export interface ExternalData {
  /** As the graph writes it, relative to the graph's folder: the name that onnxruntime is given. */
  readonly location: string;
  /** Inside the model: `unet/model.onnx_data`. */
  readonly path: string;
  /** The least number of bytes it must have to hold the weights. */
  readonly bytes: number;
}

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: which fields of a message
// lead to tensors, and to what kind of message.
const CHILDREN = {
  model: { 7: "graph" },
  graph: { 1: "node", 5: "tensor" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph" },
} as const;
const EXTERNAL_DATA = 13;

/** Where the weights of a graph are. */
export interface GraphWeights {
  readonly external: readonly ExternalData[];
  /** Bytes of the largest tensor, inside the graph's file or outside. */
  readonly largestTensor: number;
}

/** What is found on the way. */
interface Found {
  /** Bytes that each file must at least have, by its location. */
  readonly needed: Map<string, number>;
  largest: number;
}

type Message = keyof typeof CHILDREN | "tensor";

/**
 * The weights of a graph, found by reading the protobuf's headers and skipping over the weights
 * themselves.
 * @throws AppError `model_invalid` when the file ends before its graph does, is no protobuf, or names
 *   a file outside the model.
 */
export async function graphWeights(files: ModelFiles, graph: string): Promise<GraphWeights> {
  const reader = new ProtobufReader(
    (start, end) => files.bytes(graph, { start, end }),
    files.size(graph),
    (why) => brokenGraph(files, graph, why),
  );
  const found: Found = { needed: new Map(), largest: 0 };
  const ended = await visit(reader, "model", { start: 0, end: files.size(graph) }, found);
  if (!ended.has(7)) throw brokenGraph(files, graph, "it holds no graph");
  const folder = graph.slice(0, graph.lastIndexOf("/") + 1);
  const external = [...found.needed].map(([location, bytes]) => {
    const path = folder + location.replace(/^\.\//, "");
    return { location, path: checkModelPath(path, files.name), bytes };
  });
  return { external, largestTensor: found.largest };
}

function brokenGraph(files: ModelFiles, graph: string, why: string): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use the model ${files.name}: ${graph} is not a whole ONNX file, ${why} (in ${files.location})`,
  );
}

async function visit(
  reader: ProtobufReader,
  message: Exclude<Message, "tensor">,
  span: { readonly start: number; readonly end: number },
  found: Found,
): Promise<Set<number>> {
  const children: Readonly<Record<number, Message>> = CHILDREN[message];
  const seen = new Set<number>();
  for await (const field of reader.fields(span.start, span.end)) {
    seen.add(field.number);
    const child = field.nested ? children[field.number] : undefined;
    if (child === "tensor") await visitTensor(reader, field, found);
    else if (child) await visit(reader, child, field, found);
  }
  return seen;
}

async function visitTensor(
  reader: ProtobufReader,
  tensor: Field,
  found: Found,
): Promise<void> {
  const entries = new Map<string, string>();
  for await (const field of reader.fields(tensor.start, tensor.end)) {
    // The weights themselves, when they are inside, are the largest field.
    if (field.nested) found.largest = Math.max(found.largest, field.end - field.start);
    if (field.number !== EXTERNAL_DATA || !field.nested) continue;
    const [key, value] = await keyAndValue(reader, field);
    entries.set(key, value);
  }
  const location = entries.get("location");
  if (location === undefined) return;
  const length = Number(entries.get("length") ?? 0);
  const end = Number(entries.get("offset") ?? 0) + length;
  found.needed.set(location, Math.max(found.needed.get(location) ?? 0, end));
  found.largest = Math.max(found.largest, length);
}

async function keyAndValue(reader: ProtobufReader, entry: Field): Promise<[string, string]> {
  const texts = ["", ""];
  for await (const field of reader.fields(entry.start, entry.end)) {
    if (field.nested && field.number <= 2) texts[field.number - 1] = await reader.text(field);
  }
  return [texts[0], texts[1]];
}
