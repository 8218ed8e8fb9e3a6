import { AppError } from "../error.ts";

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
  /** Weights to prefer, in diffusers' naming: `fp16` for `model.fp16.onnx`. */
  readonly variant?: string;
  /** Every file there is, sorted. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  /** Bytes. */
  size(path: string): number;
  text(path: string): Promise<string>;
  bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>>;
  /** The file's path on disk, where there is one: onnxruntime-node opens by path. */
  localPath?(path: string): string;
}

/** "Cannot read unet/model.onnx of ...": the file that is missing and its folder. */
export function missingFile(files: Pick<ModelFiles, "name" | "location">, path: string): AppError {
  const folder = files.location === files.name ? "" : ` (${files.location})`;
  return new AppError(
    "model_invalid",
    `Cannot read ${path} of ${files.name}: it is missing from the model's folder${folder}`,
  );
}

/** @throws AppError `model_invalid` when a JSON file is not JSON; it names file and folder. */
export async function readJson(files: ModelFiles, path: string): Promise<unknown> {
  const text = await files.text(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError(
      "model_invalid",
      `Cannot read ${path} of ${files.name}: it is not JSON (${text.length} characters in ${files.location})`,
      { cause },
    );
  }
}
