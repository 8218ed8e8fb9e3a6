/**
 * The vocabulary of CLIP's tokenizer, which all of Stable Diffusion's text encoders read and single-file
 * checkpoints leave out. `merges.txt` is OpenAI's, MIT licence: the first 48,894 merges of
 * `bpe_simple_vocab_16e6.txt` of https://github.com/openai/CLIP, in the layout of transformers, whose file
 * `openai/clip-vit-large-patch14/merges.txt` has the same bytes.
 *
 * ```ts
 * import { clipVocabulary } from "./mod.ts";
 *
 * const vocabulary = clipVocabulary("#version: 0.2\nt h\nth e</w>\n");
 * console.assert(vocabulary["the</w>"] === 513);
 * ```
 */

/** The 256 bytes as printable characters, in the order of CLIP's ids. */
function byteCharacters(): readonly string[] {
  const printable = [[33, 126], [161, 172], [174, 255]].flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i)
  );
  const others = Array.from({ length: 256 - printable.length }, (_, i) => 256 + i);
  return [...printable, ...others].map((code) => String.fromCharCode(code));
}

/** Ids by token, as `vocab.json` has them. @param merges the text of `merges.txt`. */
export function clipVocabulary(merges: string): Readonly<Record<string, number>> {
  const bytes = byteCharacters();
  const merged = merges.split("\n").slice(1).filter((line) => line !== "")
    .map((line) => line.replace(" ", ""));
  const tokens = [...bytes, ...bytes.map((byte) => `${byte}</w>`), ...merged];
  const special = ["<|startoftext|>", "<|endoftext|>"];
  return Object.fromEntries([...tokens, ...special].map((token, id) => [token, id]));
}
