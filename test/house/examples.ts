/** Examples in the head comment of each room's door. */
import { parseSync } from "oxc-parser";
import type { SourceFile } from "./import_rules.ts";

export interface Example {
  /** The door's path from the root, and which of its examples: `core/noise/mod.ts 1`. */
  readonly name: string;
  readonly path: string;
  readonly code: string;
}

/** The comment that a file opens with, without its stars; undefined where code comes first. */
export function headComment(text: string): string | undefined {
  const match = /^\/\*\*(.*?)\*\//s.exec(text);
  return match?.[1].replace(/^\s*\* ?/gm, "").trim();
}

/** The TypeScript blocks of a head comment. */
export function examplesOf({ path, text }: SourceFile): Example[] {
  const blocks = [...(headComment(text) ?? "").matchAll(/^```ts\n(.*?)^```/gms)];
  return blocks.map(([, code], k) => ({ name: `${path} ${k + 1}`, path, code }));
}

/** The example's code with relative imports as `resolve` has them. */
export function withImports(code: string, resolve: (specifier: string) => string): string {
  const { module, errors } = parseSync("example.ts", code);
  if (errors.length) throw new Error(`Cannot read the example: ${errors[0].message}`);
  return module.staticImports.toReversed().reduce((text, { moduleRequest }) => {
    const { value, start, end } = moduleRequest;
    if (!value.startsWith(".")) return text;
    return text.slice(0, start) + JSON.stringify(resolve(value)) + text.slice(end);
  }, code);
}
