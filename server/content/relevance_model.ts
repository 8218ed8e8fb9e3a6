import { join } from "node:path";
import { RelevanceEncoder } from "../../core/content/mod.ts";
import { cpuRuntime } from "../compute/mod.ts";
import { FolderFiles } from "../models/mod.ts";

/** The folder of the encoders that say how well a picture fits its prompt. */
const RELEVANCE = join(import.meta.dirname ?? ".", "../../models/relevance");
/** The model whose pictures those encoders judge. */
export const RELEVANCE_MODEL = "tau-tiny";

/** The encoders, to be disposed of, and the model of which they know the pictures. */
export async function openRelevance() {
  const files = await FolderFiles.open({ name: RELEVANCE_MODEL, location: RELEVANCE });
  return {
    encoder: await RelevanceEncoder.open(files, await cpuRuntime()),
    model: RELEVANCE_MODEL,
  };
}
