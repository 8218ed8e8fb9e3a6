/**
 * Writes `models/esrgan-slim-x2/model.safetensors` from npm's package @upscalerjs/esrgan-slim 1.0.0:
 * `deno run -A models/esrgan-slim-x2/convert.ts <folder of the unpacked package>`.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { toHalf } from "../../core/half.ts";
import { encodeSafetensors, type NamedHalf } from "../../core/safetensors/mod.ts";

const [folder] = process.argv.slice(2);
const OUT = join(import.meta.dirname ?? ".", "model.safetensors");
/** The network was trained on levels to 255; here they are to 1. */
const LEVELS = 255;

const schema = z.object({
  weightsManifest: z.tuple([z.object({
    weights: z.array(z.object({
      name: z.string(),
      shape: z.array(z.number()),
      dtype: z.literal("float32"),
    })),
  })]),
});

const json = JSON.parse(await readFile(join(folder, "models/x2/model.json"), "utf8"));
const { weightsManifest: [{ weights }] } = schema.parse(json);
const values = new Float32Array(
  new Uint8Array(await readFile(join(folder, "models/x2/group1-shard1of1.bin"))).buffer,
);

let offset = 0;
const tensors = weights.map(({ name, shape }): NamedHalf => {
  const length = shape.reduce((product, side) => product * side, 1);
  const own = values.subarray(offset, offset += length);
  const [layer, kind] = name.split("/");
  const factor = layer === "SR" ? 1 / LEVELS : name === "F_m1/kernel" ? LEVELS : 1;
  const scaled = own.map((value) => value * factor);
  if (kind === "bias") return { name: `${layer}.bias`, dims: shape, bits: toHalf(scaled) };
  const [height, width, from, to] = shape;
  return {
    name: `${layer}.weight`,
    dims: [to, from, height, width],
    bits: toHalf(transposed(scaled, height * width, from, to)),
  };
});
await writeFile(OUT, encodeSafetensors(tensors, { license: "MIT" }));

/** [places, from, to], as TensorFlow has kernels, to [to, from, places], as torch has them. */
function transposed(kernel: Float32Array, places: number, from: number, to: number): Float32Array {
  return kernel.map((_, k) => {
    const [o, i, place] = [
      Math.floor(k / (from * places)),
      Math.floor(k / places) % from,
      k % places,
    ];
    return kernel[(place * from + i) * to + o];
  });
}
