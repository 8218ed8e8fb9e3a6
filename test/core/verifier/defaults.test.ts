import { expect, test } from "vitest";
import { alterWeights } from "../../../core/adversary/altered_weights.ts";
import { Pipeline } from "../../../core/generation/mod.ts";
import { isGuided, readLayout, viewOf } from "../../../core/model/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { defaultTolerance, toleranceAt } from "../../../core/verifier/mod.ts";
import { compareMachines } from "../../../server/calibrate/agreement.ts";
import type { Machine } from "../../../server/calibrate/hosts.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { golden } from "../../fixtures/golden_models.ts";
import { halfWeights, openInHalf } from "../../fixtures/half_model.ts";

const machine = (engine: Pipeline): Machine => ({
  engine,
  precision: "float16",
  facts: () => Promise.reject(new Error("not asked for")),
});

/** Largest errors over the default, of steps that a checker in float32 computes again. */
async function measured(name: string, guidanceScale: number) {
  const files = await halfWeights(await openModel(golden(`pipelines/${name}`)));
  const cpu = await cpuRuntime();
  const stack = new AsyncDisposableStack();
  const exact = stack.use(await Pipeline.open(files, cpu));
  const request = decodeRequest({ prompt: "a red bird over the sea" }, {
    ...{ width: 64, height: 64, steps: 5, guidanceScale, seed: 3n },
  });
  const table = defaultTolerance("float16", { guided: await isGuided(files), guidanceScale });
  const worst = async (opening: Promise<Pipeline>) => {
    const made = ["maker", machine(stack.use(await opening))] as const;
    const checker = new Map([["checker", machine(exact)]]);
    const steps = await compareMachines(made, checker, request, 0);
    return Math.max(
      ...steps.map(({ noise, velocityError }) =>
        velocityError / toleranceAt(table, { alpha: 1, sigma: noise })
      ),
    );
  };
  const altered = async (alteration: "int4" | "other") => {
    const { denoiser } = await readLayout(files);
    return worst(Pipeline.open(await alterWeights(files, denoiser, alteration), cpu));
  };
  const honest = () => worst(openInHalf(files, cpu));
  return { honest, altered, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.each([["pipe-sd1", 7.5], ["pipe-sdxl", 12], ["pipe-flux-dev", 3.5]])(
  "%s at guidance %d: float16 arithmetic comes to half of the default at most",
  async (name, guidanceScale) => {
    await using runs = await measured(name, guidanceScale);
    const honest = await runs.honest();
    expect(honest).toBeLessThanOrEqual(0.5);
    // What rounds nothing is no float16 arithmetic.
    expect(honest).toBeGreaterThan(0.01);
  },
);

test.each(
  [
    ["int4", "pipe-sd3", 5],
    ["other", "pipe-sd3", 5],
    // A miner may name any scale: nothing multiplies the errors of a model that makes one prediction.
    ["other", "pipe-flux-schnell", 100],
  ] as const,
)("%s weights of %s at %d are above the default", async (alteration, name, scale) => {
  await using runs = await measured(name, scale);
  expect(await runs.altered(alteration)).toBeGreaterThan(1);
});

test.each([
  ["pipelines/pipe-sd1", true],
  ["pipelines/pipe-sd3", true],
  ["pipelines/pipe-flux-dev", false],
  ["pipelines/pipe-flux-schnell", false],
])("guidance of %s puts two predictions together: %s", async (name, guided) => {
  expect(await isGuided(await openModel(golden(name)))).toBe(guided);
});

test("a UNet that was distilled to read its guidance makes one prediction", async () => {
  const files = await openModel(golden("pipelines/pipe-sd1"));
  const config = await Deno.readFile(golden("architectures/unet-lcm-sharded/config.json"));
  const lcm = viewOf(files, { written: new Map([["unet/config.json", config]]) });
  expect(await isGuided(lcm)).toBe(false);
});

test("the scale widens the defaults up to what was measured, and not of a distilled model", () => {
  const at = (guided: boolean, guidanceScale: number) =>
    defaultTolerance("float16", { guided, guidanceScale });
  expect([3.5, 100].map((scale) => at(false, scale))).toEqual([at(false, 1), at(false, 1)]);
  expect(at(true, 12)).not.toEqual(at(true, 7.5));
  expect(at(true, 100)).toEqual(at(true, 12));
});
