import { counted } from "../counted.ts";
import { AppError, reason } from "../error.ts";
import type { TensorIndex, WeightDelta } from "../safetensors/mod.ts";
import { parseModelJson } from "./model_json.ts";

/** An adapter whose tensors are among a model's files. */
export interface MountedAdapter {
  /** Of its own file, lower-case hex. */
  readonly sha256: string;
  /** Its file's, for people. */
  readonly name: string;
  /** By the part's folder and the weight's name. */
  readonly deltas: Readonly<Record<string, Readonly<Record<string, WeightDelta>>>>;
}

/** A ControlNet whose files are among a model's. */
export interface MountedControl {
  /** `manifestHash` of its own files, by which requests name it. */
  readonly network: string;
  /** The folder under which the model's files have it: `controlnets/0`. */
  readonly part: string;
}

/** Bytes `start` (inclusive) to `end` (exclusive) of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A model's folder as the rest of the program sees it, wherever it came from. Paths are relative,
 * with `/`. A path that leaves the folder throws AppError `model_invalid`; reading a file that is
 * not there throws the error of {@link missingFile}.
 */
export interface ModelFiles {
  /** Which model this is: `tau-tiny`, `hf:owner/name@<commit>`, an address or a folder's path. */
  readonly name: string;
  /** Where the files are: a folder's path, for messages. */
  readonly location: string;
  /** Weights to prefer, in diffusers' naming: `fp16` for `model.fp16.safetensors`. */
  readonly variant?: string;
  /** Weights of parts that have no file of their own, by the part's folder: they lie in another file. */
  readonly tensors?: Readonly<Record<string, TensorIndex>>;
  /** Changes of the weights, each as far as a request says; they add up in this order. */
  readonly adapters?: readonly MountedAdapter[];
  /** ControlNets that requests may use, besides the one of the model's own folder. */
  readonly controls?: readonly MountedControl[];
  /** Sentences for the user: what was taken for granted when it was opened. */
  readonly notices?: readonly string[];
  /** Files that are made of others here: they are no facts of a model. */
  readonly derived?: readonly string[];
  /** Every file there is, sorted. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  /** Bytes. */
  size(path: string): number;
  text(path: string): Promise<string>;
  bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The file's own path on disk, links followed, where it has one: onnxruntime-node opens by path, and
   * refuses links.
   */
  localPath?(path: string): string | undefined;
}

/** "Cannot read unet/model.onnx of ...": the file that is missing and its folder. */
export function missingFile(files: Pick<ModelFiles, "name" | "location">, path: string): AppError {
  const folder = files.location === files.name ? "" : ` (${files.location})`;
  return new AppError(
    "model_invalid",
    `Cannot read ${path} of ${files.name}: it is missing from the model's folder${folder}`,
  );
}

/** Bytes of a JSON file; the largest, a tokenizer's, have a few millions. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

/**
 * A model's JSON file, as Python writes it: see {@link parseModelJson}.
 * @throws AppError `model_invalid` when a file is not JSON or too large; it names file and folder.
 */
export async function readJson(files: ModelFiles, path: string): Promise<unknown> {
  const size = files.size(path);
  if (size > MAX_JSON_BYTES) {
    throw unreadable(files, path, `it has ${counted(size, "byte")}, more than ${MAX_JSON_BYTES}`);
  }
  const text = await files.text(path);
  try {
    return parseModelJson(text);
  } catch (cause) {
    throw unreadable(files, path, `it is not JSON, ${reason(cause)}`, { cause });
  }
}

function unreadable(
  files: ModelFiles,
  path: string,
  why: string,
  options?: ErrorOptions,
): AppError {
  const text = `Cannot read ${path} of ${files.name}: ${why} (in ${files.location})`;
  return new AppError("model_invalid", text, options);
}
