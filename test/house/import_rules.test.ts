import { expect, test } from "vitest";
import { join } from "node:path";
import { checkImports, readHouse } from "./import_rules.ts";

const file = (path: string, text: string) => ({ path, text });

test.each([
  ["core/a.ts", `import { x } from "../server/b.ts";`, "core must not import server"],
  ["core/a.ts", `export { x } from "../models/b.ts";`, "core must not import models"],
  ["core/a.ts", `import type { X } from "../browser/b.ts";`, "core must not import browser"],
  ["core/a.ts", `await import("../server/b.ts");`, "core must not import server"],
  ["core/a.ts", `import fs from "node:fs";`, "only libraries that run anywhere"],
  ["core/a.ts", `import ort from "onnxruntime-node";`, "only libraries that run anywhere"],
  ["browser/a.ts", `import "../server/b.ts";`, "browser must not import server"],
  ["server/a.ts", `import "../browser/b.ts";`, "server must not import browser"],
  ["server/a.ts", `import "../test/b.ts";`, "server must not import test"],
  ["shaders/a.ts", `import "../core/b.ts";`, "shaders must not import core"],
  ["core/x/a.ts", `import { y } from "../y/inner.ts";`, "entered by its door, core/y/mod.ts"],
])("checkImports refuses %s with %s", (path, text, words) => {
  expect(checkImports([file(path, text)])).toEqual([expect.stringContaining(words)]);
});

test.each([
  ["core/a.ts", "const os = Deno.build.os;", "core runs in browsers too; use web interfaces"],
  ["browser/a.ts", "globalThis.Deno?.exit();", "browser runs in browsers too"],
  ["shaders/a.ts", "const { env } = Deno;", "shaders runs in browsers too"],
  ["models/a.ts", "await Deno.readFile('x');", "only server/runtime/ does; use web or node:"],
  ["server/web/a.ts", "let file: Deno.FsFile;", "only server/runtime/ does; use web or node:"],
  ["server/web/a.ts", "if (e instanceof Deno.errors.NotFound) f();", "only server/runtime/ does"],
])("checkImports refuses that %s names Deno: %s", (path, text, words) => {
  expect(checkImports([file(path, text)])).toEqual([
    expect.stringContaining(`${path} names Deno: `),
  ]);
  expect(checkImports([file(path, text)])[0]).toContain(words);
});

test("checkImports lets server/runtime and tests name Deno, and all speak of it", () => {
  expect(checkImports([
    file("server/runtime/a.ts", "Deno.exit();"),
    file("test/a.ts", "Deno.exit();"),
    file("core/a.ts", "/** Deno runs it. */ const name = 'Deno';"),
  ])).toEqual([]);
});

test("checkImports accepts doors, single files, data and its own folder", () => {
  const text = `
    import { y } from "../y/mod.ts";
    import { AppError } from "../error.ts";
    import code from "../../shaders/step.wgsl" with { type: "text" };
    import { b } from "./b.ts";
    import { z } from "zod";`;
  expect(checkImports([file("core/x/a.ts", text)])).toEqual([]);
});

test("checkImports finds a ring of imports", () => {
  const ring = checkImports([
    file("core/a.ts", `import { b } from "./b.ts";`),
    file("core/b.ts", `export { c } from "./c.ts";`),
    file("core/c.ts", `import type { A } from "./a.ts";`),
  ]);
  expect(ring).toEqual(["core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts: a ring of imports"]);
});

test("checkImports finds a ring of folders whose files make none", () => {
  const ring = checkImports([
    file("core/a/mod.ts", `export { one } from "./one.ts";`),
    file("core/a/one.ts", ""),
    file("core/a/two.ts", `import { b } from "../b/mod.ts";`),
    file("core/b/mod.ts", `export { b } from "./b.ts";`),
    file("core/b/b.ts", `import { c } from "../c/mod.ts";`),
    file("core/c/mod.ts", `import { one } from "../a/mod.ts";`),
  ]);
  expect(ring).toEqual(["core/a -> core/b -> core/c -> core/a: a ring of folders"]);
});

test("the house keeps its own rules", () => {
  const files = readHouse(join(import.meta.dirname ?? ".", "../.."));
  expect(files.length).toBeGreaterThan(20);
  expect(checkImports(files)).toEqual([]);
});
