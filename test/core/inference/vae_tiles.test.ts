import { join } from "node:path";
import { expect, test } from "vitest";
import { partGraph } from "../../../core/architecture/mod.ts";
import { writtenGraph } from "../../../core/inference/mod.ts";
import { VaeDecoder } from "../../../core/inference/vae_decoder.ts";
import { VaeEncoder } from "../../../core/inference/vae_encoder.ts";
import { byTiles, isTiled, type Planes, vaeTiling } from "../../../core/inference/vae_tiles.ts";
import { readTensorIndex } from "../../../core/safetensors/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openPartFolder } from "../../../server/parts/part_folder.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const files = await openPartFolder(join(GOLDEN, "architectures/vae-sd"));
const json = JSON.parse(await files.text("config.json"));
const tensors = await readTensorIndex(files, "diffusion_pytorch_model.safetensors");
const calls = await readRecordedCalls(join(GOLDEN, "vae_tiling.safetensors"));
const runtime = await cpuRuntime();

async function graph(part: "decoder" | "encoder") {
  const opened = writtenGraph(files, part, partGraph(part, json, tensors, {}), {
    ...{ byPath: true, widen: false },
  });
  return { path: part, session: await runtime.open(opened.files, opened.graph) };
}

/** The recorded latents are the VAE's own. Its sample_size is 64: tiles of 8 by 8. */
const config = { ...json, scaling_factor: 1, shift_factor: undefined } as ConstructorParameters<
  typeof VaeDecoder
>[1];

function call(name: string, input: string, output: string): readonly [Recorded, Recorded] {
  const found = calls.find((each) => each.name === name);
  const [given, made] = [found?.inputs.get(input), found?.outputs.get(output)];
  if (given && made) return [given, made];
  throw new Error(`no call ${name}`);
}

function furthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

test.each(["wide", "tall"])("a %s latent is decoded in tiles as diffusers does", async (name) => {
  const [{ dims, values }, { values: image }] = call(name, "latent", "image");
  const decoder = new VaeDecoder(await graph("decoder"), config);
  const size = [dims[1], dims[2], dims[3]] as const;
  expect(furthest(await decoder.decodeTiled(values, size), image)).toBeLessThan(2e-5);
  // Each tile has its own means: as a whole it is another image.
  expect(furthest(await decoder.decode(values, size), image)).toBeGreaterThan(0.5);
});

test.each(["wide", "tall"])("a %s image is encoded in tiles as diffusers does", async (name) => {
  const [{ dims: [, , height, width], values }, { values: mean }] = call(
    ...[`${name}_image`, "image", "mean"] as const,
  );
  const encoder = new VaeEncoder(await graph("encoder"), config);
  const again = await encoder.encodeTiled(values, { width, height, channels: 4 });
  expect(furthest(again, mean)).toBeLessThan(2e-5);
});

test("what is made of each pixel alone is the same in tiles, and one tile is not cut", async () => {
  const { decode } = vaeTiling(64);
  const dims = [2, 19, 30] as const;
  const values = Float32Array.from({ length: 2 * 19 * 30 }, (_, i) => i);
  const eightfold = ({ values, dims: [c, h, w] }: Planes): Promise<Planes> => {
    const large = Float32Array.from(
      { length: 64 * c * h * w },
      (_, i) =>
        values[
          Math.floor(i / (64 * h * w)) * h * w + Math.floor(i % (64 * h * w) / (64 * w)) * w +
          Math.floor(i % (8 * w) / 8)
        ],
    );
    return Promise.resolve({ values: large, dims: [c, 8 * h, 8 * w] });
  };
  const made = await byTiles({ values, dims }, decode, eightfold);
  expect(made).toEqual(await eightfold({ values, dims }));
  expect(isTiled({ dims: [4, 8, 8] }, decode)).toBe(false);
  expect(isTiled({ dims: [4, 8, 9] }, decode)).toBe(true);
});
