import { AppError } from "../error.ts";
import { MODEL_INDEX, type ModelFiles, viewOf } from "../model/mod.ts";
import type { SingleFileModel } from "./single_file.ts";

/** CLIP's vocabulary, which no checkpoint holds. */
export interface ClipVocabulary {
  /** The text of `merges.txt`. */
  readonly merges: string;
  /** Of `vocab.json`. */
  readonly vocabulary: Readonly<Record<string, number>>;
}

/**
 * A checkpoint in one file as the folder that diffusers would make of it: configurations are written
 * here, weights stay where they are.
 * @param files with the one file.
 * @param tokenizers files of other tokenizers than CLIP's, by their paths.
 * @throws AppError `model_invalid` when a text encoder knows fewer words than CLIP's tokenizer.
 */
export function checkpointFiles(
  files: ModelFiles,
  model: SingleFileModel,
  clip: ClipVocabulary,
  tokenizers: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map(),
): ModelFiles {
  const others = new Set([...tokenizers.keys()].map(folderOf));
  const ours = [...writtenFiles(model, clip)].filter(([path]) => !others.has(folderOf(path)));
  const written = new Map([...ours, ...tokenizers]);
  if (others.size === 0) checkVocabulary(files, model, clip);
  const parts = Object.entries(model.parts);
  return viewOf(files, {
    written,
    tensors: Object.fromEntries(parts.map(([part, { tensors }]) => [part, tensors])),
    notices: model.notices,
    derived: [...written.keys()],
  });
}

function folderOf(path: string): string {
  return path.slice(0, path.indexOf("/"));
}

function checkVocabulary(
  { name }: ModelFiles,
  { parts }: SingleFileModel,
  { vocabulary }: ClipVocabulary,
): void {
  const words = Object.keys(vocabulary).length;
  const known = Number(parts.text_encoder?.config.vocab_size);
  if (known >= words || Number.isNaN(known)) return;
  throw new AppError(
    "model_invalid",
    `Cannot use the model ${name}: its text encoder knows ${known} words, and CLIP's vocabulary has ` +
      `${words}. Give the folder of a model with its tokenizer as configs`,
  );
}

function writtenFiles(
  { modelIndex, parts, scheduler, tokenizers }: SingleFileModel,
  { merges, vocabulary }: ClipVocabulary,
): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const json = (path: string, value: unknown) => [path, JSON.stringify(value)] as const;
  const texts = [
    json(MODEL_INDEX, modelIndex),
    json("scheduler/scheduler_config.json", scheduler),
    ...Object.entries(parts).map(([part, { config }]) => json(`${part}/config.json`, config)),
    ...Object.entries(tokenizers).flatMap(([tokenizer, config]) => [
      json(`${tokenizer}/tokenizer_config.json`, config),
      json(`${tokenizer}/vocab.json`, vocabulary),
      [`${tokenizer}/merges.txt`, merges] as const,
    ]),
  ];
  const encoder = new TextEncoder();
  return new Map(texts.map(([path, text]) => [path, encoder.encode(text)]));
}
