import { stepAnyLength, stepFloat16, stepFloat32 } from "../../../shaders/mod.ts";
import { stepLatent } from "../../denoise/mod.ts";
import { gaussianNoise } from "../../noise/mod.ts";
import type { BenchCase } from "./case.ts";
import { type Contender, cpuContender } from "./contender.ts";
import type { BenchSize } from "../report/mod.ts";
import { stepBuffers, stepBytes, type StepData, stepData } from "./step_data.ts";
import { stepGraph } from "./step_graph.ts";
import { kernelVariants } from "./variants.ts";
import type { Workspace } from "./workbench.ts";

/** Of float16, which a sum that is rounded the other way may miss by one unit. */
const TOLERANCE = 2e-3;

export const stepCase: BenchCase = {
  name: "step",
  about: "A guided step of DPM-Solver++ 2M: guidance, D, combination, float16, next input.",
  unit: "latent",
  tolerance: TOLERANCE,
  async prepare(space, size) {
    const data = stepData(size, false);
    return [
      ...await kernels(space, size, data, { others: true }),
      reference(data),
      await stepGraph(space, data),
    ];
  },
};

export const noisyStepCase: BenchCase = {
  name: "step with noise",
  about: "The same of SDE-DPM-Solver++ 2M, which draws fresh Gaussian noise in the kernel.",
  unit: "latent",
  tolerance: TOLERANCE,
  async prepare(space, size) {
    const data = stepData(size, true);
    return [...await kernels(space, size, data, { others: false }), reference(data)];
  },
};

/** @param others the variants for float16 networks and for latents of any length as well. */
async function kernels(
  space: Workspace,
  { batch }: BenchSize,
  data: StepData,
  { others }: { readonly others: boolean },
): Promise<Contender[]> {
  const { next, float32, float16 } = stepBuffers(space, data);
  const shared = {
    extent: { items: data.n, images: batch },
    output: next,
    constants: { TERMS: data.rowSet.terms },
  };
  const full = { ...shared, resources: float32, bytes: stepBytes(data.all, 4) };
  const variants = [kernelVariants(space, { ...full, kernel: stepFloat32 })];
  if (others) {
    const half = { ...shared, resources: float16(), bytes: stepBytes(data.all, 2), primary: false };
    const anyRow = { constants: { TERMS: 0 }, suffix: " any row", primary: false };
    variants.push(
      kernelVariants(space, { ...full, kernel: stepFloat32, ...anyRow }),
      kernelVariants(space, { ...half, kernel: stepFloat16 }),
      kernelVariants(space, { ...full, kernel: stepAnyLength, primary: false }),
    );
  }
  return (await Promise.all(variants)).flat();
}

function reference(data: StepData): Contender {
  const { n, all, row, draw, batch: { seeds, guidanceScale } } = data;
  return cpuContender("stepLatent", stepBytes(all, 4), () => {
    const next = new Float32Array(all);
    for (const [image, seed] of seeds.entries()) {
      const part = (values: Float32Array) => values.subarray(image * n, (image + 1) * n);
      const result = stepLatent(row, {
        states: [part(data.state)],
        denoised: [part(data.before)],
        output: part(data.positive),
        negativeOutput: part(data.negative),
        guidanceScale,
        noise: () => gaussianNoise(seed, draw, n),
      });
      next.set(result.next, image * n);
    }
    return next;
  });
}
