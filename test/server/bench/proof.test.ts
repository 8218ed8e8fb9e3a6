import { expect, test } from "vitest";
import { Pipeline } from "../../../core/generation/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { kindsTable, measureKinds } from "../../../server/bench/proof_kinds.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
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

test("a check of each kind opens its sources, and asks the network for three steps", async () => {
  const model = await openKnownModel("embedded");
  await using engine = await Pipeline.open(model.files, await cpuRuntime());
  const order = {
    ...{ prompt: "a tau symbol", scheduler: "sde-dpmsolver++", strength: 0.75, factor: 2 },
    ...{ width: 64, height: 64, steps: 4, guidanceScale: 4, seed: 1n },
  };
  const kinds = await measureKinds(order, 3, 1, { engine, model, miner: openHotkey(undefined) });
  const of = (wanted: string) => kinds.find(({ kind }) => kind === wanted);
  // int(4 * 0.75) steps of those that start from an image.
  expect(kinds.map(({ kind, steps }) => [kind, steps])).toEqual([
    ...[["text", 4], ["image", 3], ["mask", 4], ["control", 4], ["parent", 3]],
    ["enlarged parent", 3],
  ]);
  expect(of("text")).toMatchObject({ encodeMs: 0, inputBytes: 0 });
  expect(of("image")?.encodeMs).toBeGreaterThan(0);
  expect(of("control")).toMatchObject({ encodeMs: 0 });
  expect(of("control")?.inputBytes).toBeGreaterThan(0);
  // Four times the pixels, and so of each leaf.
  const [small, large] = [of("parent")?.bytes ?? 0, of("enlarged parent")?.bytes ?? 0];
  expect(large / small).toBeGreaterThan(3);
  const lines = kindsTable(kinds, 3);
  for (const { kind } of kinds) expect(lines.join()).toContain(kind);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
});
