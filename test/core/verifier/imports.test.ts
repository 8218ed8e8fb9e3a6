import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";

const root = join(import.meta.dirname ?? ".", "../../..");

type Loading = "when loaded" | "ever";

/** Every module that the given one loads: libraries by name, files by path. */
function loadedBy(path: string, when: Loading, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  for (const specifier of runtimeImports(Deno.readTextFileSync(join(root, path)), path, when)) {
    const target = specifier.startsWith(".") ? join(dirname(path), specifier) : specifier;
    loadedBy(target, when, seen);
  }
  return seen;
}

function runtimeImports(text: string, path: string, when: Loading): string[] {
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
  return [...imports, ...exports, ...(when === "ever" ? dynamic : [])];
}

test.each(["core/keys/mod.ts", "core/transcript/mod.ts"])(
  "%s loads neither onnxruntime nor the networks",
  (door) => {
    const loaded = [...loadedBy(door, "ever")];
    expect(loaded).toContain("@scure/sr25519");
    expect(loaded.filter((each) => /onnx|core\/(inference|generation|gpu)\//.test(each))).toEqual(
      [],
    );
  },
);

// Level 2 loads the network, when its engine is opened, and level 3 a codec: neither before.
test("core/verifier/mod.ts loads neither onnxruntime nor a codec until they are asked for", () => {
  const loaded = [...loadedBy("core/verifier/mod.ts", "when loaded")];
  expect(loaded).toContain("core/request/plan_choice.ts");
  expect(
    loaded.filter((each) => /onnxruntime|@jsquash|core\/(inference|generation|gpu)\//.test(each)),
  ).toEqual([]);
  expect([...loadedBy("core/verifier/mod.ts", "ever")]).toContain("@jsquash/jpeg/decode.js");
});
