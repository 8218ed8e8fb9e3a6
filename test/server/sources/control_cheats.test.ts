import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageEngine, Pipeline } from "../../../core/generation/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import type { KnownModel } from "../../../core/model/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { verifiedRun } from "../../fixtures/cheated_run.ts";

const SIDE = 64;
const DEFAULTS = { width: SIDE, height: SIDE, steps: 4, guidanceScale: 4, seed: 5n };
let model: KnownModel;
let engine: ImageEngine;
beforeAll(async () => {
  model = await openKnownModel("embedded");
  engine = await Pipeline.open(model.files, await cpuRuntime());
});
afterAll(() => engine[Symbol.asyncDispose]());

/** Edges of a square of a width. */
function edges(width: number): RgbaImage {
  const data = Uint8ClampedArray.from({ length: 4 * SIDE * SIDE }, (_, k) => {
    const at = [(k >> 2) % SIDE, Math.floor((k >> 2) / SIDE)].map((side) => side - 8);
    const onIt = at.some((side) => side === 0 || side === width);
    return onIt && at.every((side) => side >= 0 && side <= width) ? 255 : 0;
  });
  return { width: SIDE, height: SIDE, data };
}

const image = "0a".repeat(32);
const requestOf = (...control: object[]) =>
  decodeRequest(
    { prompt: "a golden tau symbol", control: control.map((use) => ({ image, ...use })) },
    DEFAULTS,
  );
const stated = requestOf({ scale: 1 });
const asked = { controls: [edges(40)] };

test.each([
  ["honest", requestOf({ scale: 1 }), asked, "honest"],
  ["ControlNet left out", requestOf(), {}, "suspect"],
  ["a lower scale", requestOf({ scale: 0.7 }), asked, "suspect"],
  ["left out of the last half", requestOf({ scale: 1, end: 0.5 }), asked, "suspect"],
  ["another image", requestOf({ scale: 1 }), { controls: [edges(24)] }, "suspect"],
])("%s", async (_, run, given, verdict) => {
  const { report } = await verifiedRun(model, engine, { run, given, stated, files: asked });
  expect(report.verdict).toBe(verdict);
});
