import { type Fragment, unread, type WeightedText } from "./fragments.ts";
import { takeLoraTags } from "./lora_tags.ts";

const LOUDER = 1.1;
/** One of A1111's signs, an escaped character first; `(red:1.3)` ends with its number. */
const SIGN = /\\[()[\]\\]|[([]|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[)\]]/g;
const BREAK = /\s*\bBREAK\b\s*/;
/** How a schedule ends: `[a:b:0.3]`, `[a:7]`. */
const SWITCHES = /:\s*(\d+\.?\d*|\.\d+)\s*$/;

type Scaled = { text: string; weight: number };

/** A bracket that is not closed yet. */
interface Open {
  readonly sign: "(" | "[";
  /** The fragment that it begins before, and its place in the prompt. */
  readonly from: number;
  readonly at: number;
  /** What is in it, without what is in brackets of its own. */
  own: string;
}

/**
 * Reads weights as AUTOMATIC1111 does: `(a)` counts 1.1 times, `[a]` 1/1.1, `(a:1.3)` 1.3 times; signs
 * nest, `\(` is a bracket, `BREAK` begins a chunk, also between brackets.
 * @throws AppError `invalid_request` for what changes from step to step, for `AND`, and for LoRAs.
 */
export function readA1111(prompt: string): WeightedText {
  refuseOthers(prompt);
  const reader = new Reader(prompt);
  let at = 0;
  for (const match of prompt.matchAll(SIGN)) {
    const [sign, number] = match;
    reader.text(prompt.slice(at, match.index));
    reader.sign(sign, number, match.index);
    at = match.index + sign.length;
  }
  reader.text(prompt.slice(at));
  return sections(reader.end());
}

class Reader {
  readonly #prompt: string;
  readonly #fragments: Scaled[] = [];
  readonly #open: Open[] = [];

  constructor(prompt: string) {
    this.#prompt = prompt;
  }

  text(text: string): void {
    const inner = this.#open.at(-1);
    if (inner) inner.own += text;
    this.#add(text);
  }

  sign(sign: string, number: string | undefined, at: number): void {
    if (sign.startsWith("\\")) return this.#add(sign.slice(1));
    if (sign === "(" || sign === "[") {
      this.#open.push({ sign, at, from: this.#fragments.length, own: "" });
      return;
    }
    const opened = this.#close(sign === "]" ? "[" : "(");
    if (!opened) return this.text(sign);
    if (sign === "]") refuseChanges(opened.own, this.#prompt.slice(opened.at, at + 1));
    const usual = sign === "]" ? 1 / LOUDER : LOUDER;
    this.#scale(opened, number === undefined ? usual : Number(number));
  }

  /** What was opened and not closed counts to the end. */
  end(): readonly Fragment[] {
    for (const opened of this.#open.toReversed()) {
      this.#scale(opened, opened.sign === "(" ? LOUDER : 1 / LOUDER);
    }
    return this.#fragments;
  }

  #add(text: string): void {
    if (text) this.#fragments.push({ text, weight: 1 });
  }

  #close(sign: Open["sign"]): Open | undefined {
    const place = this.#open.findLastIndex((opened) => opened.sign === sign);
    return place < 0 ? undefined : this.#open.splice(place, 1)[0];
  }

  #scale({ from }: Open, by: number): void {
    for (let i = from; i < this.#fragments.length; i++) this.#fragments[i].weight *= by;
  }
}

/** Splits at `BREAK`, and joins neighbours that count the same. */
function sections(fragments: readonly Fragment[]): WeightedText {
  const result: Scaled[][] = [[]];
  for (const { text, weight } of fragments) {
    for (const [i, part] of text.split(BREAK).entries()) {
      if (i > 0) result.push([]);
      const section = result[result.length - 1];
      const last = section.at(-1);
      if (last?.weight === weight) last.text += part;
      else if (part) section.push({ text: part, weight });
    }
  }
  return result;
}

function refuseOthers(prompt: string): void {
  const [lora] = takeLoraTags(prompt).loras;
  if (lora) {
    const { tag, name, unetScale } = lora;
    const use = `name the file of ${name} among the adapters, at ${unetScale}`;
    throw unread("a1111", tag, `take it out of the prompt and ${use}`);
  }
  if (/\bAND\b/.test(prompt)) {
    throw unread("a1111", "AND", 'write one prompt, with weights, or "and" in small letters');
  }
}

/** @param own what is in square brackets. @param whole the same as it was written. */
function refuseChanges(own: string, whole: string): void {
  if (own.includes("|")) {
    throw unread("a1111", whole, "write one of them, or weights such as (a:0.5)");
  }
  if (SWITCHES.test(own)) {
    throw unread("a1111", whole, "prompts do not change from step to step: write one of them");
  }
}
