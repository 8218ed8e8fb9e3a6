import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../fixtures/cli.ts";
import { filesIn, temporaryFolder } from "../fixtures/temporary_folder.ts";

test("deno task demo shows the circle, ends by itself, and leaves nothing running", async () => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runCli(["demo", "--out", folder]);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).not.toMatch(/ NO {2}/);
  expect(stdout).toMatch(/^Bob .* honest /m);
  expect(stdout).toMatch(/^Eve \(cheats\) .* suspect +0\.0 % +0\.0 % +0\.000$/m);
  expect(filesIn(join(folder, "images")).filter((name) => name.endsWith(".png")).length)
    .toBeGreaterThanOrEqual(3);
  for (const [, url] of stdout.matchAll(/ (https?:\/\/\S+)$/gm)) {
    await expect(fetch(url)).rejects.toThrow();
  }
  const validator = await Deno.readTextFile(join(folder, "validator.log"));
  expect(validator).toMatch(/"event":"weights set"/);
}, 300_000);

test("what it cannot do it says, and fails", async () => {
  const { code, stdout } = await runCli([
    "demo",
    "--minutes",
    "0.1",
    "--out",
    await temporaryFolder(),
  ]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ NO {2}the chain paid the honest miners$/m);
}, 120_000);
