import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { join } from "node:path";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { type Example, examplesOf, headComment, withImports } from "./examples.ts";
import { readHouse } from "./import_rules.ts";

const ROOT = join(import.meta.dirname ?? ".", "../..");
const doors = readHouse(ROOT)
  .filter(({ path }) => /^(core|shaders|server|browser)\/(.+\/)?mod\.ts$/.test(path));

/** `console.assert` only prints: here it throws, so that a wrong example fails. All else is still. */
beforeEach(() => {
  vi.spyOn(console, "log").mockReturnValue();
  vi.spyOn(console, "assert").mockImplementation((holds, ...words) => {
    if (!holds) throw new Error(["The example's assertion fails", ...words].join(": "));
  });
});
afterEach(() => void vi.restoreAllMocks());

async function run({ path, code }: Example): Promise<void> {
  const file = join(await temporaryFolder(), "example.ts");
  const folder = join(ROOT, path, "..");
  await Deno.writeTextFile(file, withImports(code, (specifier) => join(folder, specifier)));
  await import(file);
}

describe("every door", () => {
  test.each(doors)("$path says what its room is for", ({ text }) => {
    expect(headComment(text)).toMatch(/^\S.{20,}/);
  });

  test.each(doors.filter(({ path }) => /^(core|shaders)\//.test(path)))(
    "$path shows an example",
    (door) => expect(examplesOf(door)).not.toEqual([]),
  );

  test.each(doors.flatMap(examplesOf))("$name runs", run);
});

test("an example whose assertion is wrong fails", async () => {
  const [example] = examplesOf({
    path: "core/noise/mod.ts",
    text: '/**\n * Noise.\n *\n * ```ts\n * console.assert(1 > 2, "as stated");\n * ```\n */\n',
  });
  await expect(run(example)).rejects.toThrow("as stated");
});

test("withImports resolves relative imports and leaves libraries", () => {
  const code = 'import { a } from "./mod.ts";\nimport { z } from "zod";\n';
  expect(withImports(code, (specifier) => `/room/${specifier.slice(2)}`))
    .toBe('import { a } from "/room/mod.ts";\nimport { z } from "zod";\n');
});
