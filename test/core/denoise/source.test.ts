import { afterAll, describe, expect, test } from "vitest";
import { encodeDispatches } from "../../../core/gpu/mod.ts";
import { prepareSteps, type StepRun } from "../../../core/denoise/mod.ts";
import { fromHalf, roundHalf, toHalf } from "../../../core/half.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import { nextCombination, planFromConfig, startCombination } from "../../../core/schedule/mod.ts";
import { checkCombination } from "../../../core/verifier/mod.ts";
import { ownGpu } from "../../fixtures/own_gpu.ts";

const gpu = await ownGpu();
afterAll(() => gpu[Symbol.dispose]());

const SEED = 7n;

/** A soft mask: nothing, a little, half and all is made anew. */
const softMask = (n: number) =>
  Float32Array.from({ length: n }, (_, i) => [0, 0.25, 0.5, 1][i % 4]);

/** Writes what the network would say, runs dispatch k, and reads x_k and D_{k-1}. */
async function dispatched(run: StepRun, k: number, output: Float32Array<ArrayBuffer>) {
  gpu.device.queue.writeBuffer(run.networkOutput.buffer, 0, output);
  const encoder = gpu.device.createCommandEncoder();
  encodeDispatches(encoder, run.dispatches[k]);
  const [x, d] = [run.stateBits, run.denoisedBits].map(({ buffer, bytes }) =>
    gpu.staging.copy(encoder, buffer, bytes)
  );
  gpu.device.queue.submit([encoder.finish()]);
  const [state, denoised] = await Promise.all([x.read(), d.read()]);
  return { state: new Uint16Array(state.buffer), denoised: new Uint16Array(denoised.buffer) };
}

describe.each([1024, 1022])("a run on a GPU of %i elements that starts from an image", (n) => {
  const source = {
    latent: roundHalf(gaussianNoise(3n, 0, n)),
    mask: roundHalf(softMask(n)),
  };
  const config = { _class_name: "DPMSolverMultistepScheduler", algorithm_type: "sde-dpmsolver++" };

  test.each([
    ["as a whole", { strength: 0.6 }],
    ["in places", { strength: 0.6, inpaints: true }],
    ["in places, from noise alone", { strength: 1, inpaints: true }],
  ])("%s: each state is one that level 1 accepts", async (_, options) => {
    const plan = planFromConfig(config, 5, options);
    const used = "inpaints" in options ? source : { latent: source.latent };
    const batch = { n, seeds: [SEED], guidanceScale: undefined, guidanceRescale: 0 };
    using run = await prepareSteps(gpu, { plan, ...batch, source: used, dataType: "float32" });
    const noise = (draw: number) => gaussianNoise(SEED, draw, n);
    const cut = (bits: Uint16Array) => bits.subarray(0, n);

    const start = await dispatched(run, 0, new Float32Array(n));
    const expected = startCombination(plan, noise(0), used);
    expect(checkCombination(cut(start.state), expected).outside).toBe(0);

    const states = [fromHalf(cut(start.state))];
    const denoised: Float32Array[] = [];
    for (const [i, row] of plan.rows.entries()) {
      const step = await dispatched(run, i + 1, gaussianNoise(11n, i, n));
      denoised.unshift(fromHalf(cut(step.denoised)));
      const next = nextCombination(row, {
        states,
        denoised,
        noise: () => noise(i + 1),
        source: used,
        startNoise: () => noise(0),
      });
      expect(checkCombination(cut(step.state), next).outside, `step ${i}`).toBe(0);
      states.unshift(fromHalf(cut(step.state)));
    }
    if (!("inpaints" in options)) return;
    const last = toHalf(states[0].slice());
    const kept = toHalf(source.latent.slice());
    const differing = [...last.keys()].filter((i) => source.mask[i] === 0 && last[i] !== kept[i]);
    expect(differing).toEqual([]);
  });
});
