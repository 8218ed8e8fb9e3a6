import { AppError } from "../error.ts";
import type { GenerationRequest } from "../request/mod.ts";

/** A piece of a prompt, and how much it counts: 1 as it is. */
export interface Fragment {
  readonly text: string;
  readonly weight: number;
}

/** A prompt in sections that begin a chunk of their own. */
export type WeightedText = readonly (readonly Fragment[])[];

/**
 * Reads the weights that are written into a prompt.
 * @throws AppError `invalid_request` for what is written in that way and is not built.
 */
export function weightedText(
  prompt: string,
  weighting: GenerationRequest["weighting"],
): WeightedText {
  switch (weighting) {
    case "none":
      return [[{ text: prompt, weight: 1 }]];
    case "a1111":
      return readA1111(prompt);
    case "compel":
      return [readCompel(prompt)];
    default:
      return weighting satisfies never;
  }
}

/** What A1111 reads further, and what to do instead. */
const A1111_REFUSED: readonly (readonly [RegExp, string])[] = [
  [/<lora:[^>]*>/i, "adapters are a field of their own, each by its file"],
  [/<(?:hypernet|lyco):[^>]*>/i, "such networks are not built"],
  [/\[[^[\]]*:[^[\]]*\]/, "prompts do not change from step to step: write two prompts"],
  [/\[[^[\]]*\|[^[\]]*\]/, "prompts do not alternate: write two prompts"],
  [/\bAND\b/, "prompts are not composed: write one, with weights"],
];

/** One of A1111's signs, an escaped character first; `(red:1.3)` ends with its number. */
const A1111_SIGN = /\\[()[\]\\]|[([]|:\s*([+-]?\d*\.?\d+)\s*\)|[)\]]/g;
const LOUDER = 1.1;

/** `(a)` counts 1.1 times, `[a]` 1/1.1, `(a:1.3)` 1.3 times; signs nest, `\(` is a bracket. */
function readA1111(prompt: string): WeightedText {
  refuse("a1111", prompt, A1111_REFUSED);
  const fragments: { text: string; weight: number }[] = [];
  const open: Record<"(" | "[", number[]> = { "(": [], "[": [] };
  const add = (text: string) => {
    if (text) fragments.push({ text, weight: 1 });
  };
  const scale = (from: number | undefined, by: number) => {
    for (const fragment of fragments.slice(from ?? fragments.length)) fragment.weight *= by;
  };
  let at = 0;
  for (const match of prompt.matchAll(A1111_SIGN)) {
    const [sign, number] = match;
    add(prompt.slice(at, match.index));
    at = match.index + sign.length;
    if (sign.startsWith("\\")) add(sign.slice(1));
    else if (sign === "(" || sign === "[") open[sign].push(fragments.length);
    else if (number !== undefined && open["("].length > 0) scale(open["("].pop(), Number(number));
    else if (sign === ")" && open["("].length > 0) scale(open["("].pop(), LOUDER);
    else if (sign === "]" && open["["].length > 0) scale(open["["].pop(), 1 / LOUDER);
    else add(sign);
  }
  add(prompt.slice(at));
  // What is not closed counts to the end.
  for (const from of open["("]) scale(from, LOUDER);
  for (const from of open["["]) scale(from, 1 / LOUDER);
  return sections(fragments);
}

/** Splits at `BREAK`, and joins neighbours that count the same. */
function sections(fragments: readonly Fragment[]): WeightedText {
  const result: { text: string; weight: number }[][] = [[]];
  for (const { text, weight } of fragments) {
    for (const [i, part] of text.split(/\s*\bBREAK\b\s*/).entries()) {
      if (i > 0) result.push([]);
      const section = result[result.length - 1];
      const last = section.at(-1);
      if (last?.weight === weight) last.text += part;
      else if (part) section.push({ text: part, weight });
    }
  }
  return result;
}

const COMPEL_REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\.(?:blend|and)\(/, "prompts are not composed: write one, with weights"],
  [
    /[\p{L}\p{N})]-+(?=[\s,.]|$)/u,
    "what counts less is not built: use a1111's [word] or (word:0.8)",
  ],
];
/** `(a red bird)1.3`, `(a red bird)++`, `bird++`. */
const COMPEL_SIGN = /\(([^()]*)\)(\d*\.?\d+|\++)?|([^\s,.()]*[\p{L}\p{N}])(\++)(?=[\s,.]|$)/gu;

/** `+` counts 1.1 times each. */
function readCompel(prompt: string): readonly Fragment[] {
  refuse("compel", prompt, COMPEL_REFUSED);
  const fragments: Fragment[] = [];
  const add = (text: string, weight: number) => {
    if (text) fragments.push({ text, weight });
  };
  let at = 0;
  for (const match of prompt.matchAll(COMPEL_SIGN)) {
    const [sign, group, suffix = "", word, plus = ""] = match;
    add(prompt.slice(at, match.index), 1);
    at = match.index + sign.length;
    const weight = /\d/.test(suffix) ? Number(suffix) : LOUDER ** (suffix + plus).length;
    if (weight < 1) {
      throw unread("compel", sign, "what counts less is not built: use a1111's (word:0.8)");
    }
    add(group ?? word, weight);
  }
  add(prompt.slice(at), 1);
  return fragments;
}

function refuse(
  weighting: string,
  prompt: string,
  refused: readonly (readonly [RegExp, string])[],
): void {
  for (const [pattern, remedy] of refused) {
    const found = pattern.exec(prompt)?.[0];
    if (found) throw unread(weighting, found, remedy);
  }
}

function unread(weighting: string, found: string, remedy: string): AppError {
  return new AppError(
    "invalid_request",
    `Cannot read the prompt: ${
      JSON.stringify(found.slice(0, 60))
    } has a meaning in ${weighting} that is ` +
      `not built; ${remedy}`,
    { field: "prompt" },
  );
}
