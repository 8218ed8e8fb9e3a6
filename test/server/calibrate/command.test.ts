import { describe, expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";

const small = ["calibrate", "--sizes", "64", "--steps", "10", "--runs", "2"];

describe("deno task calibrate", () => {
  test.each([
    ["--runs", "abc", "--runs is abc"],
    ["--runs", "0", "--runs is 0"],
    ["--first", "-1", "--first is -1"],
    ["--steps", "20,many", "--steps is many"],
    ["--sizes", "100", "--sizes is 100, not a multiple of 8"],
    ["--engines", "abacus", "the machine abacus: it is none of cpu, native, chrome"],
    ["--engines", "cpu", "--engines is of one machine"],
    ["--write", "--model=./mine", "./mine is not in the catalogue"],
  ])("%s %s is bad input", async (flag, value, words) => {
    const run = await runCli([...small, flag, value]);
    expect(run.stderr).toContain(words);
    expect(run.stderr).not.toContain("    at ");
    expect(run).toMatchObject({ code: 2, stdout: "" });
  });

  test("shows what it measured where that is too little to fit tolerances to", async () => {
    const few = ["calibrate", "--sizes", "64", "--steps", "3", "--runs", "1"];
    const run = await runCli([...few, "--engines", "cpu,cpu:fp16"]);
    expect(run.code).toBe(2);
    expect(run.stdout).toContain("cpu -> cpu:fp16");
    expect(run.stderr).toContain("Cannot fit a tolerance: 6 steps are too few");
  });

  test("recognises a float16 machine by its weights, and compares it with float16's tolerances", async () => {
    const run = await runCli([...small, "--engines", "cpu,cpu:fp16", "--check", "--json"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(run.stdout).checked).toMatchObject({
      ...{ checks: 40, rejected: 0, byPrecision: { float32: 0, float16: 40 } },
    });
  });
});
