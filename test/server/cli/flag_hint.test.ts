import { expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { sentenceOf } from "../../../server/cli/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 0n };

test("core names the field, the command line the flag", () => {
  const error = thrownBy(() => decodeRequest({ guidanceScale: 200 }, DEFAULTS)) as AppError;
  expect(error.message).toBe(
    "Cannot generate: guidanceScale is 200, not a number from 0 to 100",
  );
  expect(sentenceOf(error)).toBe(`${error.message} (--guidance).`);
});

test("an error of no field, or of one without a flag, is its sentence", () => {
  expect(sentenceOf(new AppError("cancelled", "Cannot wait: it was cancelled")))
    .toBe("Cannot wait: it was cancelled.");
  const error = new AppError("invalid_request", "Cannot start: x is 1", { field: "x" });
  expect(sentenceOf(error)).toBe("Cannot start: x is 1.");
});

test("no sentence of core names a flag", async () => {
  const root = new URL("../../../core", import.meta.url).pathname;
  const named: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await walk(path);
      else if (name.endsWith(".ts")) {
        const text = await Deno.readTextFile(path);
        for (const [line] of text.matchAll(/^.*["'`( ]--[a-z]+[a-z.-]*.*$/gm)) {
          // A report's style sheet has variables of this form.
          if (!/^\s*(\*|\/\/|\/\*)|--[a-z-]+[:)]|var\(--/.test(line)) {
            named.push(`${path}: ${line}`);
          }
        }
      }
    }
  };
  await walk(root);
  expect(named.filter((line) => !line.includes("miner_client"))).toEqual([]);
});
