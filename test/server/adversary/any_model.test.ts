import { expect, test } from "vitest";
import { honest, zoo } from "../../../core/adversary/mod.ts";
import { networkPrecision, readLayout, viewOf } from "../../../core/model/mod.ts";
import { toleranceFor } from "../../../core/verifier/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { LabBench } from "../../../server/adversary/lab_bench.ts";
import { golden } from "../../fixtures/golden_models.ts";

const sizing = {
  ...{ runs: 1, samples: 0, steps: 3, size: 64 },
  ...{ scheduler: "sde-dpmsolver++", guidanceScale: 5 },
};
const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

/** A whole model that was not calibrated, with a UNet in one of the types that are published. */
async function modelWith(unet: string) {
  const model = await openModel(golden("pipelines/pipe-sd1"));
  const bytes = await Deno.readFile(golden(unet));
  return viewOf(model, { written: new Map([[WEIGHTS, bytes]]) });
}

function cheatOf(name: string) {
  const found = zoo.find((cheat) => cheat.name === name);
  if (!found) throw new Error(`no cheat ${name}`);
  return found;
}

test.each([
  [
    "float16",
    "float16",
    "architectures/unet-sd1-f16/diffusion_pytorch_model.fp16.safetensors",
  ],
  ["bfloat16", "float16", "architectures/unet-sd1-bf16/diffusion_pytorch_model.safetensors"],
])("other weights of any model are tried, and found out: %s", async (_, precision, unet) => {
  const files = await modelWith(unet);
  const { denoiser } = await readLayout(files);
  const claimed = await networkPrecision(files, denoiser);
  expect(claimed).toBe(precision);
  const { table, origin } = toleranceFor(claimed, [], { guided: true, ...sizing });
  expect(origin).toBe("default");
  await using bench = await LabBench.open(files, table);
  const errorsOf = async (cheat: typeof honest) =>
    (await bench.try(cheat, sizing, 0)).sights.map(({ velocityError }) => velocityError);
  expect(await errorsOf(honest)).toEqual([0, 0, 0]);
  const int8 = Math.max(...await errorsOf(cheatOf("int8 weights")));
  const int4 = Math.max(...await errorsOf(cheatOf("int4 weights")));
  expect(int8).toBeGreaterThan(0);
  // A sixteenth of the values: further off.
  expect(int4).toBeGreaterThan(int8);
});
