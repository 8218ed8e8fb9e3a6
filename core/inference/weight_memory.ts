import type { ModelFiles, NetworkFiles } from "../model/mod.ts";
import { graphFor, weightBytes } from "./openable_graph.ts";

/**
 * Bytes that a network's weights take in memory, as they are computed with; its configuration and
 * headers are read, weights are not. What it computes comes on top, and grows with the image.
 * @param half on a GPU that computes in float16; elsewhere float16 is widened to float32.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export async function weightMemory(
  files: ModelFiles,
  part: string,
  network: NetworkFiles,
  half: boolean,
): Promise<number> {
  return weightBytes(await graphFor({ byPath: false, half }, files, part, network));
}
