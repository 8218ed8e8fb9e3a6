import { expect, test } from "vitest";
import { readJson } from "../../../core/model/mod.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";

const PATH = "scheduler/scheduler_config.json";
const read = (text: string) => readJson(memoryFiles({ [PATH]: text }), PATH);

test.each([
  ["-Infinity", -Infinity],
  ["[Infinity,-Infinity, NaN\n]", [Infinity, -Infinity, NaN]],
  ['{"a": {"b": [1, NaN]}}', { a: { b: [1, NaN] } }],
])("Python's numbers are read: %s", async (text, value) => {
  expect(await read(text)).toEqual(value);
});

test("strings that hold Python's numbers stay as they are", async () => {
  const strings = {
    NaN: "NaN",
    "a -Infinity b": '"Infinity", NaN\\',
    c: ["NaN_", "[NaN]", "Infinity", "-Infinity"],
  };
  expect(await read(JSON.stringify(strings))).toEqual(strings);
  const bare = JSON.stringify({ ...strings, last: "HERE" }).replace('"HERE"', "NaN");
  expect(await read(bare)).toEqual({ ...strings, last: NaN });
});

test.each([
  "--Infinity",
  "+Infinity",
  "1Infinity",
  "Infinity1",
  "-NaN",
  "NaNs",
  "1.NaN",
  "nan",
  "inf",
])(
  "%s is no number in Python's JSON either",
  async (word) => {
    await expect(read(`{"a": ${word}}`)).rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringMatching(
        /^Cannot read scheduler\/.* of memory: it is not JSON, .*memory/,
      ),
    });
  },
);

test("nesting and size are bounded", async () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(await read(nested(64))).toHaveLength(1);
  await expect(read(nested(65))).rejects.toThrow(/nested more than 64 deep/);
  await expect(read(nested(200_000).replace("[]", "[NaN]"))).rejects.toThrow(/more than 64 deep/);
  expect(await read(JSON.stringify("[".repeat(100)))).toHaveLength(100);
  const huge = { ...memoryFiles({ [PATH]: "{}" }), size: () => 2 ** 27 };
  await expect(readJson(huge, PATH)).rejects.toThrow(/134217728 bytes, more than 67108864/);
});

test("a config as diffusers saves its DPM-Solver is planned", async () => {
  const config = await read(
    '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}',
  );
  const own = { _class_name: "DPMSolverMultistepScheduler" };
  expect(planFromConfig(config, 5)).toEqual(planFromConfig(own, 5));
});
