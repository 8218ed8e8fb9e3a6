import { type Fragment, unread } from "./fragments.ts";

const LOUDER = 1.1;
const QUIETER = 0.9;

const SPACE = /[ \t\n\r\v\f]*/y;
/** Up to white space: what is no syntax counts 1. */
const FREE = /[^ \t\n\r\v\f]+/y;
/** A word in which signs stand escaped, or before a letter: `well-known`. */
const WORD = /(?:\\[()",.+\-=]|[-+](?![ \t\n\r\v\f()",.+\-=]|$)|-?\d+|[^ \t\n\r\v\f()",.+\-=])+/y;
const QUOTED = /"((?:\\"|[^"\n\r])*)"/y;
const POINT = /[,.]/y;
/** After a word only `+` and `-` are weights, after brackets and quotes numbers too. */
const SIGNS = /\++|-+/y;
const WEIGHT = /\++|-+|\d+\.\d*|\.\d+|\d+/y;
const ATTEND =
  /[ \t\n\r\v\f]*\.attend[ \t\n\r\v\f]*\([ \t\n\r\v\f]*(\++|-+|\d+\.\d*|\.\d+|\d+)[ \t\n\r\v\f]*\)/y;

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\)\s*\.(?:blend|and|add)\s*\(/, "write one prompt, with weights"],
  [/\.swap\s*\(/, "write what you want to see alone"],
  [/\b(?:use|with)Lora\s*\(/, "name its file among the request's adapters"],
];

/** Brackets and quotes in each other; a prompt that needs more is no prompt. */
const MAX_DEPTH = 32;

/** What was read, and where it ends. */
interface Read {
  readonly fragments: readonly Fragment[];
  readonly end: number;
}

/**
 * Reads weights as compel 2.4 does: `word+` and `word++`, `word-`, `(a few words)1.3`, `"a few words"+`,
 * `(words).attend(1.3)`; they nest. What cannot be read so counts 1, as it stands.
 * @throws AppError `invalid_request` for compel's operators on whole prompts, and on LoRAs.
 */
export function readCompel(prompt: string): readonly Fragment[] {
  for (const [pattern, remedy] of REFUSED) {
    const found = pattern.exec(prompt)?.[0];
    if (found) throw unread("compel", found, remedy);
  }
  const text = prompt.replace(/,(?=\S)/g, ", ");
  const fragments: Fragment[] = [];
  for (let at = skip(text, 0); at < text.length;) {
    const read = element(text, at, 0, FREE);
    // FREE takes whatever is no white space.
    if (!read) break;
    fragments.push(...read.fragments);
    at = skip(text, read.end);
  }
  return fused(fragments);
}

/** A word, or what is in brackets or quotes, with the weight right behind it where it has one. */
function element(text: string, at: number, depth: number, otherwise: RegExp): Read | undefined {
  const group = quoted(text, at, depth) ?? bracketed(text, at, depth);
  const target = group ?? plain(text, at, WORD);
  if (!target) return plain(text, at, otherwise);
  const attended = match(ATTEND, text, target.end);
  const found = attended ?? match(group ? WEIGHT : SIGNS, text, target.end);
  if (!found) return group ?? plain(text, at, otherwise);
  const by = weightOf(found[1] ?? found[0]);
  const fragments = target.fragments.map(({ text, weight }) => ({ text, weight: weight * by }));
  return { fragments, end: target.end + found[0].length };
}

function weightOf(sign: string): number {
  const base = sign.startsWith("+") ? LOUDER : sign.startsWith("-") ? QUIETER : undefined;
  if (base === undefined) return Number(sign);
  return [...sign].reduce((weight) => weight * base, 1);
}

function bracketed(text: string, at: number, depth: number): Read | undefined {
  if (text[at] !== "(" || depth >= MAX_DEPTH) return undefined;
  const { fragments, end } = parts(text, at + 1, depth + 1);
  return text[end] === ")" ? { fragments, end: end + 1 } : undefined;
}

function quoted(text: string, at: number, depth: number): Read | undefined {
  const found = match(QUOTED, text, at);
  if (!found || depth >= MAX_DEPTH) return undefined;
  const inner = found[1];
  const { fragments, end } = parts(inner, 0, depth + 1);
  return end === inner.length ? { fragments, end: at + found[0].length } : undefined;
}

/** What may stand in brackets and quotes: ends before what may not. */
function parts(text: string, from: number, depth: number): Read {
  const fragments: Fragment[] = [];
  let at = skip(text, from);
  for (;;) {
    const read = element(text, at, depth, WORD) ?? plain(text, at, POINT);
    if (!read) return { fragments, end: at };
    fragments.push(...read.fragments);
    at = skip(text, read.end);
  }
}

function plain(text: string, at: number, pattern: RegExp): Read | undefined {
  const found = match(pattern, text, at)?.[0];
  if (!found) return undefined;
  // As in compel, other escaped signs keep their backslash.
  const written = found.replace(/\\([()"])/g, "$1");
  return { fragments: [{ text: written, weight: 1 }], end: at + found.length };
}

function skip(text: string, at: number): number {
  return at + (match(SPACE, text, at)?.[0].length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Joins neighbours that count the same. */
function fused(fragments: readonly Fragment[]): readonly Fragment[] {
  const result: { text: string; weight: number }[] = [];
  for (const { text, weight } of fragments) {
    const last = result.at(-1);
    if (last?.weight === weight) last.text += ` ${text}`;
    else result.push({ text, weight });
  }
  return result;
}
