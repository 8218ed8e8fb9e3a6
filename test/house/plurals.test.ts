import { join } from "node:path";
import { expect, test } from "vitest";
import { readHouse } from "./import_rules.ts";

/** A quantity that may be one, and a plural after it: "1 bytes". */
const COUNT_BEFORE_PLURAL =
  /\$\{(?:[\w.#]*\.)?(?:length|size|bytes|count|at|left)(?: - \w+)?\} (?:bytes|characters|files|images|steps|tensors|tokens)\b/g;
/** Networks of checkpoints count in thousands. */
const EXEMPT = /^(?:test|core\/architecture|core\/checkpoint|core\/bench|server\/bench)\//;

test("a quantity that may be one is written by counted()", () => {
  const files = readHouse(join(import.meta.dirname ?? ".", "../.."));
  const found = files.filter(({ path }) => !EXEMPT.test(path)).flatMap(({ path, text }) =>
    [...text.matchAll(COUNT_BEFORE_PLURAL)].map(([words]) => `${path}: ${words}`)
  );
  expect(found).toEqual([]);
});
