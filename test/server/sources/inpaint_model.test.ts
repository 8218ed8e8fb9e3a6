import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageEngine, Pipeline, type SourceImages } from "../../../core/generation/mod.ts";
import { checkRun, runOf, serveRun } from "../../../core/adversary/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import type { KnownModel } from "../../../core/model/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { chooseSteps, openVerifier } from "../../../core/verifier/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
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

/** What the whole of a run comes to, which may be given other files than the receipt names. */
async function checked(given: SourceImages, like?: Awaited<ReturnType<typeof runOf>>) {
  const run = await runOf(engine, { request: stated, files: given });
  // Sources that are committed to in place of the run's own.
  const leaves = run.leaves.map((leaf) =>
    like?.leaves.find(({ kind }) => kind === leaf.kind && (kind === "m" || kind === "k")) ?? leaf
  );
  const served = await serveRun({ ...run, leaves }, model, openHotkey(undefined));
  const { receipt } = served;
  const verifier = await openVerifier(model);
  const drawn = chooseSteps(receipt, { take: "all" });
  return { run, receipt, report: await checkRun(served, { files }, drawn, { verifier, engine }) };
}

test("a run of a network that reads a mask commits to three sources, and is honest", async () => {
  const { receipt, report } = await checked(files);
  expect(receipt).toMatchObject({ latent: [4, 8, 8], sources: ["s", "m", "k"] });
  expect(report).toMatchObject({ verdict: "honest", level: 3, source: { maskDiffering: 0 } });
});

test("an ignored mask is suspect, whether it is committed to or not", async () => {
  const honest = await checked(files);
  const ignoring = { image: photo, mask: none };
  const open = await checked(ignoring);
  expect(open.report).toMatchObject({ verdict: "suspect" });
  expect(open.report.source?.maskDiffering).toBeGreaterThan(0);
  const hidden = await checked(ignoring, honest.run);
  // The network is asked again with what was committed to.
  expect(hidden.report).toMatchObject({ verdict: "suspect", source: { maskDiffering: 0 } });
});

test("such a model asks for a mask", async () => {
  const plain = decodeRequest({ prompt: "a" }, DEFAULTS);
  await expect(engine.generate(plain)).rejects.toMatchObject({
    ...{ code: "invalid_request", field: "mask" },
  });
});
