import { expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";

test.each([
  ["--size", "65", "--size is 65, not a multiple of 8"],
  ["--size", "32", "--size is 32, not a whole number from 64 to 1024"],
  ["--honest", "gpu", "Cannot open the machine gpu: it is none of cpu, native, chrome"],
  ["--html", "/none/x.html", "the folder /none is not there"],
  ["--html", "README.md", "Cannot write README.md: it is there already; --force replaces it"],
  ["--write", "--model=./mine", "./mine is not in the catalogue"],
])("adversary %s %s is bad input", async (flag, value, words) => {
  const run = await runCli(["adversary", flag, value]);
  expect(run.stderr).toContain(words);
  expect(run.stderr).not.toContain("    at ");
  expect(run).toMatchObject({ code: 2, stdout: "" });
});
