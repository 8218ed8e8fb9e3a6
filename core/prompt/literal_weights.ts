/**
 * What other programs read as weights, and this one as text: `(red:1.5)`, `((red))`,
 * `[red:blue:0.5]`, `<lora:name:0.8>` of A1111 and ComfyUI, and compel's `(red)1.5` and `red++`.
 */
const WEIGHTS = [
  [/\([^()]*:\s*[-+]?\d*\.?\d+\s*\)/, "a1111"],
  [/\({2}[^()]+\){2}/, "a1111"],
  [/\[[^[\]]*:\s*\d*\.?\d+\s*\]/, "a1111"],
  [/\[{2}[^[\]]+\]{2}/, "a1111"],
  [/<(lora|lyco|hypernet|embedding):[^<>]+>/i, "a1111"],
  [/\([^()]+\)(\d*\.\d+|\+{1,9}|-{2,9})/, "compel"],
  [/\p{L}{2,40}\+{2,9}(?=[\s,.]|$)/u, "compel"],
] as const;

/** Characters of a prompt in a notice. */
const SHOWN = 60;

/**
 * What a user should know whose prompt is written for a program that has weights.
 * @returns a sentence, undefined when no prompt has such a thing.
 */
export function literalNotice(prompts: readonly string[]): string | undefined {
  for (const prompt of prompts) {
    for (const [pattern, way] of WEIGHTS) {
      const found = pattern.exec(prompt)?.[0];
      if (!found) continue;
      return `"${shortened(found)}" is read as plain text, as weighting is "none" and not "${way}"`;
    }
  }
}

/** A text with its middle left out, so that a notice stays one line. */
export function shortened(text: string, most = SHOWN): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 5) / 2);
  return `${text.slice(0, half).trimEnd()} ... ${text.slice(-half).trimStart()}`;
}
