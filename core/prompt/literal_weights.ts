/**
 * What other programs read as weights, and this one as text: `(red:1.5)`, `((red))`,
 * `[red:blue:0.5]`, `<lora:name:0.8>` of A1111 and ComfyUI, and compel's `(red)1.5` and `red++`.
 */
const WEIGHTS = [
  /\([^()]*:\s*[-+]?\d*\.?\d+\s*\)/,
  /\({2}[^()]+\){2}/,
  /\[[^[\]]*:\s*\d*\.?\d+\s*\]/,
  /\[{2}[^[\]]+\]{2}/,
  /<(lora|lyco|hypernet|embedding):[^<>]+>/i,
  /\([^()]+\)(\d*\.\d+|\+{1,9}|-{2,9})/,
  /\p{L}{2,40}\+{2,9}(?=[\s,.]|$)/u,
];

/** Characters of a prompt in a notice. */
const SHOWN = 60;

/**
 * What a user should know whose prompt is written for a program that has weights.
 * @returns a sentence, undefined when no prompt has such a thing.
 */
export function literalNotice(prompts: readonly string[]): string | undefined {
  for (const prompt of prompts) {
    const found = WEIGHTS.map((pattern) => pattern.exec(prompt)?.[0]).find(Boolean);
    if (found) {
      return `"${shortened(found)}" is read as plain text, as weighting is "none"`;
    }
  }
}

/** A text with its middle left out, so that a notice stays one line. */
export function shortened(text: string, most = SHOWN): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 5) / 2);
  return `${text.slice(0, half).trimEnd()} ... ${text.slice(-half).trimStart()}`;
}
