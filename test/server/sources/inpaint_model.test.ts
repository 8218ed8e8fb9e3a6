import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageEngine, Pipeline, type SourceImages } from "../../../core/generation/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import type { KnownModel } from "../../../core/model/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { verifiedRun } from "../../fixtures/cheated_run.ts";
import { writeInpaintModel } from "../../fixtures/inpaint_model.ts";

const SIDE = 64;
const DEFAULTS = { width: SIDE, height: SIDE, steps: 3, guidanceScale: 4, seed: 5n };
let folder: string;
let model: KnownModel;
let engine: ImageEngine;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
  await writeInpaintModel(folder);
  model = await openKnownModel(folder);
  engine = await Pipeline.open(model.files, await cpuRuntime());
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

const filled = (value: (x: number, y: number) => number): RgbaImage => ({
  ...{ width: SIDE, height: SIDE },
  data: Uint8ClampedArray.from(
    { length: 4 * SIDE * SIDE },
    (_, k) => value((k >> 2) % SIDE, Math.floor((k >> 2) / SIDE)),
  ),
});
const photo = filled((x, y) => 3 * x + y);
const left = filled((x) => x < SIDE / 2 ? 255 : 0);
const none = filled(() => 0);
const [image, mask] = ["0a".repeat(32), "0b".repeat(32)];
const stated = decodeRequest({ prompt: "a", image, mask, strength: 0.7 }, DEFAULTS);
const files: SourceImages = { image: photo, mask: left };

test("a run of a network that reads a mask commits to three sources, and is honest", async () => {
  const { receipt, report } = await verifiedRun(model, engine, {
    ...{ run: stated, given: files, stated, files },
  });
  expect(receipt).toMatchObject({ latent: [4, 8, 8], sources: ["s", "m", "k"] });
  expect(report).toMatchObject({ verdict: "honest", level: 3, source: { maskDiffering: 0 } });
});

test("an ignored mask is suspect, whether it is committed to or not", async () => {
  const honest = await verifiedRun(model, engine, { run: stated, given: files, stated, files });
  const ignoring = { run: stated, given: { image: photo, mask: none }, stated, files };
  const open = await verifiedRun(model, engine, ignoring);
  expect(open.report).toMatchObject({ verdict: "suspect" });
  expect(open.report.source?.maskDiffering).toBeGreaterThan(0);
  const hidden = await verifiedRun(model, engine, {
    ...ignoring,
    commits: (leaf) =>
      honest.leaves.find(({ kind }) => kind === leaf.kind && (kind === "m" || kind === "k")) ??
        leaf,
  });
  // The network is asked again with what was committed to.
  expect(hidden.report).toMatchObject({ verdict: "suspect", source: { maskDiffering: 0 } });
});

test("such a model asks for a mask", async () => {
  const plain = decodeRequest({ prompt: "a" }, DEFAULTS);
  await expect(engine.generate(plain)).rejects.toMatchObject({
    ...{ code: "invalid_request", field: "mask" },
  });
});
