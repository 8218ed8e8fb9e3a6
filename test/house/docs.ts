/** What the Markdown pages say, as data. */
import { dirname, join, normalize } from "node:path";

export interface Page {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

/** Every Markdown page of the repository, dot-folders included. */
export function readPages(root: string): Page[] {
  return [...walk(root, "")].map((path) => ({
    path,
    text: Deno.readTextFileSync(join(root, path)),
  }));
}

function* walk(root: string, folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(join(root, folder))) {
    const path = join(folder, entry.name);
    const skipped = [".git", "node_modules", "dist", "shared"].includes(entry.name);
    if (entry.isDirectory && !skipped) yield* walk(root, path);
    else if (entry.isFile && entry.name.endsWith(".md")) yield path;
  }
}

/** The cells of every table row, without heads and rules. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, k) => {
    const isRow = line.startsWith("|") && !isRule(line) && !isRule(lines[k + 1] ?? "");
    return isRow ? [line.slice(1, -1).split("|").map((cell) => cell.trim())] : [];
  });
}

function isRule(line: string): boolean {
  return /^\|( *:?-+:? *\|)+$/.test(line);
}

/** Where links lead, from the root, with the heading that follows `#`; not those to other sites. */
export function localLinks({ path, text }: Page): { path: string; heading: string }[] {
  const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)/g)];
  return links.map(([, target, heading = ""]) => ({
    path: target === "" ? path : normalize(join(dirname(path), target)),
    heading,
  }));
}

/** Files of the repository that a page names in backticks, by their path from the root. */
export function namedFiles({ text }: Page): string[] {
  const names = text.matchAll(
    /`((?:core|server|browser|shaders|models|test|\.ci|\.github)\/[\w./-]+)`/g,
  );
  return [...names].map(([, name]) => name.replace(/\/$/, ""));
}

/** Headings as GitHub makes anchors of them. */
export function anchors(text: string): string[] {
  const headings = withoutCode(text).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```/gms, "");
}
