import { PARTIAL_LENGTH, residual } from "../../../shaders/mod.ts";
import { toHalf } from "../../half.ts";
import { type ResidualSums, residualSums, sumPartials } from "../../verifier/mod.ts";
import { packStructs } from "../../gpu/mod.ts";
import type { BenchCase } from "./case.ts";
import { type Contender, cpuContender } from "./contender.ts";
import { residualBytes, type ResidualData, residualData } from "./residual_data.ts";
import { residualGraph } from "./residual_graph.ts";
import { kernelVariants } from "./variants.ts";
import type { Workspace } from "./workbench.ts";

export const residualCase: BenchCase = {
  name: "residual",
  about: "The sums that compare claimed steps with recomputed ones; a pair an image, one pass.",
  unit: "latent",
  // Of sums over a million products in f32.
  tolerance: 1e-3,
  async prepare(space, size) {
    const data = residualData(size);
    return [
      ...await kernels(space, data),
      reference(data),
      await residualGraph(space, data),
    ];
  },
};

async function kernels(space: Workspace, data: ResidualData): Promise<Contender[]> {
  const { n, all, pairs, tensors: { state, denoised, next, denoisedAgain, nextAgain } } = data;
  const quads = n / 4;
  const place = (tensor: number, pair: number) => (tensor * pairs + pair) * quads;
  const structs = Array.from({ length: pairs }, (_, pair) => ({
    alpha: data.alpha,
    n,
    stateAt: place(0, pair),
    denoisedAt: place(1, pair),
    nextAt: place(2, pair),
    denoisedAgainAt: place(0, pair),
    nextAgainAt: place(1, pair),
  }));
  const extent = { items: n, images: pairs };
  const constants = residual.constants[space.bench.gpu.adapterClass];
  const partial = (workgroup: number) =>
    4 * PARTIAL_LENGTH * residual.workgroups(extent, { ...constants, WORKGROUP: workgroup })[0] *
    workgroup * pairs;
  const packed = packStructs(residual.parameters, structs);
  const partials = space.buffer(Math.max(...[64, 128, 256].map(partial)), "partials");
  return await kernelVariants(space, {
    kernel: residual,
    resources: [
      space.buffer(packed.length, "pairs", packed),
      space.buffer(6 * all, "claimed", toHalf(joined([state, denoised, next]))),
      space.buffer(8 * all, "recomputed", joined([denoisedAgain, nextAgain])),
      partials,
    ],
    extent,
    bytes: residualBytes(all),
    output: {
      buffer: partials,
      offset: 0,
      bytes: partials.size,
      // Of all pairs together: what is cleared and not written adds nothing.
      decode: (bytes) => meansOf(sumPartials(new Float32Array(bytes)), all),
    },
  });
}

function reference({ n, all, pairs, alpha, tensors }: ResidualData): Contender {
  return cpuContender("residualSums", residualBytes(all), () => {
    const total = new Array<number>(10).fill(0);
    for (let pair = 0; pair < pairs; pair++) {
      const part = (values: Float32Array) => values.subarray(pair * n, (pair + 1) * n);
      const sums = residualSums({
        alpha,
        state: part(tensors.state),
        denoised: part(tensors.denoised),
        next: part(tensors.next),
        denoisedAgain: part(tensors.denoisedAgain),
        nextAgain: part(tensors.nextAgain),
      });
      meansOf(sums, all).forEach((mean, k) => total[k] += mean);
    }
    return total;
  });
}

function meansOf({ denoised, velocity, next }: ResidualSums, elements: number): number[] {
  return [...denoised, ...velocity, ...next].map((sum) => sum / elements);
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.forEach((part, k) => values.set(part, k * part.length));
  return values;
}
