import { expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";

test("bench proof measures an honest step of 1024x1024, and the network's share", async () => {
  const run = await runCli(["bench", "proof", "--size", "64", "--rounds", "1", "--json"]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  const figures = JSON.parse(run.stdout);
  expect(figures).toMatchObject({ steps: 30, bytes: 525_128, network: { size: 64 } });
  const { receiptMs, openingMs, arithmeticMs, network } = figures;
  const { share, checkMs, generationMs } = network;
  expect(share).toBeCloseTo(checkMs / generationMs, 9);
  for (const value of [receiptMs, openingMs, arithmeticMs, share]) expect(value).toBeGreaterThan(0);
});

test("bench proof refuses rounds that are no number", async () => {
  const run = await runCli(["bench", "proof", "--rounds", "few"]);
  expect(run).toMatchObject({ code: 2, stdout: "" });
  expect(run.stderr).toContain("--rounds is few");
});
