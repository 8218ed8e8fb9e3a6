import { rescaleGuidance, stepFloat32 } from "../../../shaders/mod.ts";
import { packStructs } from "../../gpu/mod.ts";
import { type BenchSize, itemsOf } from "../report/mod.ts";
import { denoisedCombination, predictionWeights } from "../../schedule/mod.ts";
import type { BenchCase } from "./case.ts";
import { type Contender, cpuContender, floatsOf } from "./contender.ts";
import { noise } from "./data.ts";
import { kernelVariants } from "./variants.ts";
import type { Workspace } from "./workbench.ts";

const SCALE = 7.5;
const SHARE = 0.7;
const ROW = { fromX: 0, fromOut: 1 };

export const rescaleCase: BenchCase = {
  name: "rescale_guidance",
  about: "The deviations of a guided prediction and of the prompt's, and the step's weights of it.",
  unit: "latent",
  // Of two sums in f32.
  tolerance: 1e-4,
  async prepare(space, size) {
    const n = itemsOf("latent", size);
    // The negative prompts' predictions come first.
    const outputs = noise(0, 2 * n * size.batch);
    return [...await kernels(space, size, outputs), reference(size, outputs)];
  },
};

async function kernels(
  space: Workspace,
  size: BenchSize,
  outputs: Float32Array<ArrayBuffer>,
): Promise<Contender[]> {
  const n = itemsOf("latent", size);
  const { batch } = size;
  const rescales = packStructs(
    rescaleGuidance.parameters,
    Array.from({ length: batch }, (_, k) => ({
      ...predictionWeights(ROW, SCALE),
      ...{ scale: SCALE, share: SHARE, n, positiveRow: batch + k, negativeRow: k },
    })),
  );
  const { bytes, fields: { fromPositive } } = stepFloat32.parameters;
  const rows = space.buffer(bytes * batch, "rows");
  return await kernelVariants(space, {
    kernel: rescaleGuidance,
    resources: [
      space.buffer(rescales.length, "rescales", rescales),
      space.buffer(outputs.byteLength, "network output", outputs),
      rows,
    ],
    extent: { items: n, images: batch },
    bytes: outputs.byteLength,
    output: {
      ...{ buffer: rows, offset: 0, bytes: bytes * batch },
      decode: (all) => {
        const floats = floatsOf(all);
        return Array.from(
          { length: batch },
          (_, k) => [0, 1].map((i) => floats[(k * bytes + fromPositive.offset) / 4 + i]),
        ).flat();
      },
    },
  });
}

function reference(size: BenchSize, outputs: Float32Array): Contender {
  const n = itemsOf("latent", size);
  const { batch } = size;
  const row = (k: number) => outputs.subarray(k * n, (k + 1) * n);
  return cpuContender("denoisedCombination", outputs.byteLength, () =>
    Float32Array.from(
      Array.from({ length: batch }, (_, k) =>
        denoisedCombination(ROW, row(k), {
          ...{ output: row(batch + k), negativeOutput: row(k) },
          ...{ guidanceScale: SCALE, guidanceRescale: SHARE },
        }).terms.map(([weight]) => weight)).flat(),
    ));
}
