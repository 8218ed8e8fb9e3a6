import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("a build empties no folder that has other files in it", async () => {
  const folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder, "thesis.txt"), "ten years");
  const { code, stderr } = await runCli(["build", "--out", folder]);
  expect(code).toBe(2);
  expect(stderr).toContain(`Cannot build into ${folder}: there are other files in it`);
  expect(await Deno.readTextFile(join(folder, "thesis.txt"))).toBe("ten years");
});

test("nor takes the place of a file", async () => {
  const file = join(await temporaryFolder(), "x");
  await Deno.writeTextFile(file, "");
  const { code, stderr } = await runCli(["build", "--out", file]);
  expect(code).toBe(2);
  expect(stderr).toContain(`Cannot build into ${file}`);
});
