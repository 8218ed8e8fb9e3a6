/**
 * `deno task figures [folder]`: the house in figures, of this checkout or of another one's folder,
 * so that a change of the plan can be compared with what was there before.
 */
import { dirname, join, resolve } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { checkImports, readHouse, type SourceFile } from "./import_rules.ts";

/** Lines of a passage that counts as repeated when it stands in two places. */
const PASSAGE = 6;

interface Code {
  readonly path: string;
  readonly lines: readonly string[];
  /** Lines of each function that has a body. */
  readonly functions: readonly number[];
  /** Type assertions, but for `as const`. */
  readonly assertions: number;
}

/** The figures of the shipped code (tests are left out), by name. */
export function houseFigures(files: readonly SourceFile[]): Record<string, number | string> {
  const shipped = files.filter(({ path }) => !path.startsWith("test/"));
  const code = shipped.map(read);
  const lines = sum(code.map((file) => file.lines.length));
  const doors = shipped.filter(({ path }) => path.endsWith("/mod.ts"));
  const widths = doors.map(({ text }) => exportedNames(text)).sort((a, b) => a - b);
  const functions = code.flatMap((file) => file.functions);
  return {
    "files": shipped.length,
    "lines": lines,
    "lines a file, median / p90": spread(code.map((file) => file.lines.length)),
    "lines a function, median / p90": spread(functions),
    "functions of more than 40 lines": functions.filter((length) => length > 40).length,
    "rooms": new Set(shipped.map(({ path }) => dirname(path))).size,
    "names a door, median / widest": `${quantile(widths, 0.5)} / ${widths.at(-1)}`,
    "doors without a comment": doors.filter(({ text }) => !text.startsWith("/**")).length,
    "folder circles": checkImports(shipped).filter((breach) => breach.endsWith("folders")).length,
    "repeated passages of six lines": repeatedPassages(code),
    "`as` a thousand lines": (1000 * sum(code.map((file) => file.assertions)) / lines).toFixed(2),
    "places that look a model up": callsOf(code, /\b(catalogueEntryOf|findModel)\(/),
    "places that name the runtime": callsOf(code, /\bDeno\./),
  };
}

function read({ path, text }: SourceFile): Code {
  const lines = text.split("\n");
  const starts = lineStarts(text);
  const lineOf = (offset: number) => starts.findLastIndex((start) => start <= offset);
  const functions: number[] = [];
  let assertions = 0;
  const count = ({ body }: { readonly body?: { start: number; end: number } | null }) => {
    if (body) functions.push(lineOf(body.end) - lineOf(body.start) + 1);
  };
  new Visitor({
    FunctionDeclaration: count,
    FunctionExpression: count,
    ArrowFunctionExpression: (node) => node.body.type === "BlockStatement" && count(node),
    TSAsExpression: ({ start, end }) => {
      if (!/\bas const$/.test(text.slice(start, end))) assertions++;
    },
  }).visit(parseSync(path, text).program);
  return { path, lines, functions, assertions };
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

function exportedNames(text: string): number {
  const { module } = parseSync("mod.ts", text);
  return sum(module.staticExports.map(({ entries }) => entries.length));
}

/** Passages that stand in two places or more, each counted once; imports and blanks are no code. */
function repeatedPassages(files: readonly Code[]): number {
  const seen = new Map<string, number>();
  for (const { lines } of files) {
    const code = lines.map((line) => line.trim()).filter((line) =>
      line && !/^(import|export \{|\*|\/)/.test(line)
    );
    for (let i = 0; i + PASSAGE <= code.length; i++) {
      const passage = code.slice(i, i + PASSAGE).join("\n");
      if (passage.length > 100) seen.set(passage, (seen.get(passage) ?? 0) + 1);
    }
  }
  return [...seen.values()].filter((times) => times > 1).length;
}

function callsOf(code: readonly Code[], call: RegExp): number {
  return sum(
    code.map(({ lines }) =>
      lines.filter((line) => call.test(line) && !/^\s*(export )?function|^\s*(\/\/|\*)/.test(line))
        .length
    ),
  );
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${quantile(sorted, 0.5)} / ${quantile(sorted, 0.9)}`;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

if (import.meta.main) {
  const root = resolve(Deno.args[0] ?? join(import.meta.dirname ?? ".", "../.."));
  console.table(houseFigures(readHouse(root)));
}
