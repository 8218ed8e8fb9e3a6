import { philoxNormal } from "../../../shaders/mod.ts";
import { gaussianNoise } from "../../noise/mod.ts";
import { packStructs } from "../../gpu/mod.ts";
import type { BenchCase } from "./case.ts";
import { cpuContender, floatsOf } from "./contender.ts";
import { itemsOf } from "../report/mod.ts";
import { kernelVariants } from "./variants.ts";

const DRAW = 1;

/** No ONNX graph: no operator of it draws the numbers of a seed. */
export const noiseCase: BenchCase = {
  name: "philox_normal",
  about: "Seeded Gaussian noise, every image by its own seed.",
  unit: "latent",
  // One unit of float16, for the variant that rounds.
  tolerance: 1e-3,
  async prepare(space, size) {
    const n = itemsOf("latent", size);
    const bytes = 4 * n * size.batch;
    const seeds = Array.from({ length: size.batch }, (_, k) => BigInt(k + 1));
    const values = space.buffer(bytes, "noise");
    const parameters = packStructs(philoxNormal.parameters, [{ n, draw: DRAW, scale: 1 }]);
    const resources = [
      space.uniform(parameters, "noise parameters"),
      space.buffer(8 * size.batch, "seeds", BigUint64Array.from(seeds)),
      values,
    ];
    const shared = {
      kernel: philoxNormal,
      resources,
      extent: { items: n, images: size.batch },
      bytes,
      output: { buffer: values, offset: 0, bytes, decode: floatsOf },
    };
    const rounding = { constants: { ROUND: 1 }, suffix: " rounded", primary: false };
    return [
      ...await kernelVariants(space, shared),
      ...await kernelVariants(space, { ...shared, ...rounding }),
      cpuContender("gaussianNoise", bytes, () => {
        const all = new Float32Array(n * size.batch);
        seeds.forEach((seed, k) => all.set(gaussianNoise(seed, DRAW, n), k * n));
        return all;
      }),
    ];
  },
};
