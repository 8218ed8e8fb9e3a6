import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";

const root = join(import.meta.dirname ?? ".", "../../..");

/** Every module that runs when the given one is loaded: libraries by name, files by path. */
function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  for (const specifier of runtimeImports(Deno.readTextFileSync(join(root, path)), path)) {
    const target = specifier.startsWith(".") ? join(dirname(path), specifier) : specifier;
    loadedBy(target, seen);
  }
  return seen;
}

function runtimeImports(text: string, path: string): string[] {
  const { module } = parseSync(path, text);
  const imports = module.staticImports
    .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
    .map(({ moduleRequest }) => moduleRequest.value);
  const exports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap((entry) => entry.isType ? [] : entry.moduleRequest?.value ?? [])
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
    text.slice(start + 1, end - 1)
  );
  return [...imports, ...exports, ...dynamic];
}

test.each(["core/verification/mod.ts", "core/transcript/mod.ts"])(
  "%s loads neither onnxruntime nor the networks",
  (door) => {
    const loaded = [...loadedBy(door)];
    expect(loaded).toContain("@scure/sr25519");
    expect(loaded.filter((each) => /onnx|core\/(inference|generation|gpu)\//.test(each))).toEqual(
      [],
    );
  },
);
