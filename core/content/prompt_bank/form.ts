import { type ListName, LISTS } from "./forms.ts";

/** One piece of a form: a word as it stands, "a" or "an", or one of a list. */
type Piece = { readonly text: string } | { readonly list: ListName } | "article";

/** A form of prompts: all that it can say, by number. */
export interface Form {
  /** How many prompts it has. */
  readonly size: bigint;
  /** @param index from 0, below `size`. */
  say(index: bigint): string;
  /** The number of a prompt of this form; undefined for any other text. */
  read(prompt: string): bigint | undefined;
}

/** Of a form at most so many prompts are counted, lest the longest be nearly all of the bank. */
const MOST = 2n ** 28n;
/** A prime that divides no form's count: neighbours in number are far apart in words. */
const STRIDE = 1_000_000_007n;

export function formOf(template: string): Form {
  const pieces = piecesOf(template);
  const lists = pieces.flatMap((piece) =>
    typeof piece === "object" && "list" in piece ? [LISTS[piece.list]] : []
  );
  const all = lists.reduce((product, list) => product * BigInt(list.length), 1n);
  const size = all < MOST ? all : MOST;
  const pattern = patternOf(pieces);
  const back = inverse(STRIDE % all, all);
  const say = (index: bigint) => sayWith(pieces, digitsOf(index * STRIDE % all, lists));
  return {
    size,
    say,
    read(prompt) {
      const words = pattern.exec(prompt)?.slice(1);
      if (!words) return undefined;
      const index = numberOf(words, lists) * back % all;
      return index < size && say(index) === prompt ? index : undefined;
    },
  };
}

/** Spaces belong to the text between. */
function piecesOf(template: string): Piece[] {
  const found = template.matchAll(/<(\w+)>|\ba (?=<)|[^<]+?(?=\ba <|<|$)/g);
  return Array.from(found, ([text, list]): Piece => {
    if (list !== undefined) return { list: list as ListName };
    return text === "a " ? "article" : { text };
  });
}

function patternOf(pieces: readonly Piece[]): RegExp {
  const source = pieces.map((piece) => {
    if (piece === "article") return "an? ";
    return "text" in piece ? escaped(piece.text) : `(${LISTS[piece.list].map(escaped).join("|")})`;
  });
  return new RegExp(`^${source.join("")}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function sayWith(pieces: readonly Piece[], digits: readonly number[]): string {
  let [next, prompt, article] = [0, "", false];
  for (const piece of pieces) {
    if (piece === "article") {
      article = true;
      continue;
    }
    const text = "text" in piece ? piece.text : LISTS[piece.list][digits[next++]];
    prompt += article ? `${articleOf(text)} ${text}` : text;
    article = false;
  }
  return prompt;
}

function articleOf(text: string): string {
  return /^(?:[aeio]|u(?!ni|se|ku))/.test(text) ? "an" : "a";
}

/** Digits of a number in the mixed base of the lists' lengths, the last one fastest. */
function digitsOf(number: bigint, lists: readonly (readonly string[])[]): number[] {
  const digits: number[] = [];
  let rest = number;
  for (const list of lists.toReversed()) {
    digits.unshift(Number(rest % BigInt(list.length)));
    rest /= BigInt(list.length);
  }
  return digits;
}

function numberOf(words: readonly string[], lists: readonly (readonly string[])[]): bigint {
  return lists.reduce(
    (number, list, k) => number * BigInt(list.length) + BigInt(list.indexOf(words[k])),
    0n,
  );
}

/** Of `value` modulo `modulus`, by Euclid's algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n];
  while (b > 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return (x % modulus + modulus) % modulus;
}
