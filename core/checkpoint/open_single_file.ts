import type { ModelFiles } from "../model/mod.ts";
import { readFloats, readSafetensorsIndex, type TensorIndex } from "../safetensors/mod.ts";
import { refuseOtherFormats } from "./file_format.ts";
import type { Prediction } from "./sampling.ts";
import {
  refuser,
  type SingleFileModel,
  singleFileModel,
  type SingleFileOptions,
} from "./single_file.ts";

/**
 * Opens a `.safetensors` file with the names of LDM or SGM as a model: its header is read, of its
 * weights at most one small tensor.
 * @throws AppError `model_invalid` that says what is wrong with the file, or what else it is.
 */
export async function openSingleFile(
  files: ModelFiles,
  path: string,
  options: SingleFileOptions = {},
): Promise<SingleFileModel> {
  await refuseOtherFormats(files, path, refuser(path));
  const index = await readSafetensorsIndex(files, path);
  const likelyPrediction = await predictionBySpread(files, index.tensors);
  return singleFileModel(index, path, { likelyPrediction, ...options });
}

const LAST_NORM = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
/** Above it a network of SD 2 predicts v, below it noise, as ComfyUI tells them apart. */
const SPREAD_OF_V = 0.09;
/** It is as wide as the network's first level: 320 numbers. */
const MAX_BYTES = 2 ** 16;

/** Files of SD 2 say nothing of it, but the two kinds were trained to other numbers. */
async function predictionBySpread(
  files: ModelFiles,
  tensors: TensorIndex,
): Promise<Prediction | undefined> {
  const norm = tensors.get(LAST_NORM);
  if (!norm || norm.end - norm.start > MAX_BYTES) return undefined;
  const values = await readFloats(files, norm);
  if (!values) return undefined;
  return standardDeviation(values) > SPREAD_OF_V ? "v_prediction" : "epsilon";
}

function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
