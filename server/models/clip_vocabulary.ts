import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClipVocabulary } from "../../core/checkpoint/mod.ts";
import { clipVocabulary } from "../../models/clip/mod.ts";

const MERGES = join(import.meta.dirname ?? ".", "../../models/clip/merges.txt");

/** CLIP's vocabulary, of this repository. */
export async function clipVocabularyFiles(): Promise<ClipVocabulary> {
  const merges = await readFile(MERGES, "utf8");
  return { merges, vocabulary: clipVocabulary(merges) };
}
