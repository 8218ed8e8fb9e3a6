import { parseSync } from "oxc-parser";
import { dirname, join, relative } from "node:path";

/** One file of the house: its path from the root and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Which of the house's top folders a folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ["shaders"],
  shaders: [],
  models: ["core"],
  // The version is written in package.json alone.
  server: ["core", "shaders", "models", "package.json"],
  browser: ["core", "shaders", "models"],
  test: ["core", "shaders", "models", "server", "browser"],
};

/** npm libraries that run in Deno, a browser and a worker alike: all that core may use. */
const CORE_LIBRARIES = [
  /^zod$/,
  /^@noble\//,
  /^@scure\//,
  /^@jsquash\//,
  /^@huggingface\/tokenizers$/,
  /^onnxruntime-web(\/|$)/,
];

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** The imported file's path from the root; undefined for a library. */
  readonly target: string | undefined;
}

/** Every breach of the house's rules, as sentences; none when the house is in order. */
export function checkImports(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(importsOf);
  return [...imports.flatMap(breaches), ...cycles(imports), ...files.flatMap(namesDeno)];
}

/** The one folder that names `Deno`, which the rest of the house can do without. */
const RUNTIME = "server/runtime/";

function namesDeno({ path, text }: SourceFile): string[] {
  const free = topOf(path) === "test" || path.startsWith(RUNTIME);
  if (free || !text.includes("Deno") || !hasIdentifier(parseSync(path, text).program, "Deno")) {
    return [];
  }
  const instead = topOf(path) === "server" || topOf(path) === "models"
    ? `only ${RUNTIME} does; use web or node: interfaces, which run on Node as well`
    : `${topOf(path)} runs in browsers too; use web interfaces`;
  return [`${path} names Deno: ${instead}`];
}

function hasIdentifier(node: unknown, name: string): boolean {
  if (typeof node !== "object" || node === null) return false;
  if ("type" in node && node.type === "Identifier" && "name" in node && node.name === name) {
    return true;
  }
  return Object.values(node).some((part) => hasIdentifier(part, name));
}

export function importsOf({ path, text }: SourceFile): Import[] {
  const { module, errors } = parseSync(path, text);
  if (errors.length) throw new Error(`Cannot read ${path}: ${errors[0].message}`);
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.moduleRequest?.value ?? [])
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) =>
      /^["'](.*)["']$/.exec(text.slice(start, end))?.[1] ?? []
    ),
  ];
  return [...new Set(specifiers)].map((specifier) => ({
    from: path,
    specifier,
    target: specifier.startsWith(".") ? join(dirname(path), specifier) : undefined,
  }));
}

function breaches(entry: Import): string[] {
  const { from, specifier, target } = entry;
  const top = topOf(from);
  if (target === undefined) {
    const allowed = top !== "core" || CORE_LIBRARIES.some((library) => library.test(specifier));
    return allowed
      ? []
      : [`${from} imports ${specifier}: core uses only libraries that run anywhere`];
  }
  const targetTop = topOf(target);
  if (targetTop !== top && !MAY_IMPORT[top]?.includes(targetTop)) {
    return [`${from} imports ${specifier}: ${top} must not import ${targetTop}`];
  }
  return usesDoor(from, target) ? [] : [
    `${from} imports ${specifier}: another folder is entered by its door, ${
      dirname(target)
    }/mod.ts`,
  ];
}

function topOf(path: string): string {
  return path.split("/")[0];
}

/**
 * A folder of core or server is entered by its `mod.ts`; single files that lie above the
 * folders (`core/error.ts`) and data (`.json`, `.wgsl`) are open to all. Tests may open any door.
 */
function usesDoor(from: string, target: string): boolean {
  if (topOf(from) === "test" || !target.endsWith(".ts")) return true;
  const folder = dirname(target);
  const inside = dirname(from) === folder || dirname(from).startsWith(`${folder}/`);
  const single = !folder.includes("/");
  return inside || single || target.endsWith("/mod.ts");
}

/** What imports each other in a ring: files, and the folders that they lie in. Each ring once. */
function cycles(imports: readonly Import[]): string[] {
  const files = imports.flatMap(({ from, target }): Edge[] => target ? [[from, target]] : []);
  const folders = files
    .map(([from, target]): Edge => [roomOf(from), roomOf(target)])
    .filter(([from, target]) => from !== target && topOf(from) !== "test");
  const ofFiles = rings(files);
  return [
    ...ofFiles.map((ring) => `${ring}: a ring of imports`),
    ...rings(folders).filter((ring) => !ofFiles.includes(ring))
      .map((ring) => `${ring}: a ring of folders`),
  ];
}

type Edge = readonly [from: string, to: string];

/** The folder of a file; a file that lies above the folders (`core/error.ts`) is its own. */
function roomOf(path: string): string {
  const folder = dirname(path);
  return folder.includes("/") ? folder : path;
}

function rings(all: readonly Edge[]): string[] {
  const edges = Map.groupBy(all, ([from]) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, trail: readonly string[]): void => {
    const at = trail.indexOf(node);
    if (at >= 0) {
      found.push([...trail.slice(at), node].join(" -> "));
      return;
    }
    if (done.has(node)) return;
    for (const next of new Set(edges.get(node)?.map(([, to]) => to))) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return found;
}

/** The house's own TypeScript files under the given root. */
export function readHouse(root: string): SourceFile[] {
  return Object.keys(MAY_IMPORT).flatMap((top) => [...walk(join(root, top))])
    .map((file) => ({ path: relative(root, file), text: Deno.readTextFileSync(file) }));
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && entry.name !== "node_modules" && entry.name !== "dist") {
      yield* walk(path);
    } else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts")) yield path;
  }
}
