import { counted } from "../counted.ts";
import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";
import { parseJsonText } from "../json_text.ts";
import { type Dtype, headerLength, parseHeader, type Refuse } from "./header.ts";

/** A tensor of a checkpoint and where its bytes are. */
export interface IndexedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The file's path. */
  readonly path: string;
  /** Bytes from the start of the file, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  /** Its bytes hold the transpose of this matrix: column after column. */
  readonly transposed?: true;
}

/** Tensors of a checkpoint, by name. */
export type TensorIndex = ReadonlyMap<string, IndexedTensor>;

/** The files of a checkpoint; `ModelFiles` is one. */
interface ReadableFiles {
  readonly name: string;
  has(path: string): boolean;
  size(path: string): number;
  text(path: string): Promise<string>;
  bytes(path: string, range: { start: number; end: number }): Promise<Uint8Array>;
}

/** As the format's own library limits it. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_TENSORS = 100_000;
const MAX_INDEX_BYTES = 64 * 2 ** 20;

const shardsSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** One file of a checkpoint. */
export interface SafetensorsIndex {
  readonly tensors: TensorIndex;
  /** What its writer noted; nobody has to. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What tensors a checkpoint has; headers are read, weights are not.
 * @param path of a `.safetensors` file, or of the `.safetensors.index.json` of several.
 * @throws AppError `model_invalid` naming the file and what is wrong with it.
 */
export async function readTensorIndex(files: ReadableFiles, path: string): Promise<TensorIndex> {
  if (path.endsWith(".json")) return await readShards(files, path);
  return (await readSafetensorsIndex(files, path)).tensors;
}

/**
 * What tensors and notes one `.safetensors` file has; its header is read, weights are not.
 * @throws AppError `model_invalid` naming the file and what is wrong with it.
 */
export async function readSafetensorsIndex(
  files: ReadableFiles,
  path: string,
): Promise<SafetensorsIndex> {
  const refuse = refuser(files, path);
  const size = files.size(path);
  const start = await files.bytes(path, { start: 0, end: Math.min(8, size) });
  const data = 8 + headerLength(start, size, MAX_HEADER_BYTES, refuse);
  const json = await files.bytes(path, { start: 8, end: data });
  const { tensors, metadata } = parseHeader(json, size - data, MAX_TENSORS, refuse);
  const index = tensors.map((tensor) =>
    [
      tensor.name,
      { ...tensor, path, start: data + tensor.start, end: data + tensor.end },
    ] as const
  );
  return { tensors: new Map(index), metadata };
}

/**
 * The files that an `.index.json` names.
 * @throws AppError `model_invalid` when it is no such index.
 */
export async function shardPaths(files: ReadableFiles, path: string): Promise<readonly string[]> {
  const refuse = refuser(files, path);
  const shardOf = decodeShards(await indexText(files, path, refuse), refuse);
  return [...new Set(Object.values(shardOf))].map((shard) => folderOf(path) + shard);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

async function readShards(files: ReadableFiles, path: string): Promise<TensorIndex> {
  const refuse = refuser(files, path);
  const shardOf = decodeShards(await indexText(files, path, refuse), refuse);
  const folder = folderOf(path);
  const index = new Map<string, IndexedTensor>();
  for (const shard of new Set(Object.values(shardOf))) {
    if (!files.has(folder + shard)) refuse(`its shard ${shard} is missing`);
    for (const [name, tensor] of (await readSafetensorsIndex(files, folder + shard)).tensors) {
      if (shardOf[name] !== shard) refuse(`${shard} has ${name}, which is not listed as its`);
      index.set(name, tensor);
    }
  }
  const missing = Object.keys(shardOf).find((name) => !index.has(name));
  return missing ? refuse(`${missing} is not in ${shardOf[missing]}`) : index;
}

async function indexText(files: ReadableFiles, path: string, refuse: Refuse): Promise<string> {
  const size = files.size(path);
  if (size > MAX_INDEX_BYTES) {
    refuse(`it has ${counted(size, "byte")}, more than ${MAX_INDEX_BYTES}`);
  }
  return await files.text(path);
}

function decodeShards(text: string, refuse: Refuse): Readonly<Record<string, string>> {
  const json = parse(text, refuse);
  const result = shardsSchema.safeParse(json);
  if (result.success) return result.data.weight_map;
  return refuse(issueSentence(result.error.issues[0], json), result.error);
}

function parse(text: string, refuse: Refuse): unknown {
  try {
    return parseJsonText(text);
  } catch (cause) {
    return refuse("it is not JSON", cause);
  }
}

function refuser(files: ReadableFiles, path: string): Refuse {
  return (why, cause) => {
    throw new AppError("model_invalid", `Cannot read ${path} of ${files.name}: ${why}`, { cause });
  };
}
