import { expect, test } from "vitest";
import { AppError } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import { denoise } from "../../core/denoise/mod.ts";
import { loadModel } from "../../core/inference/mod.ts";
import { PromptConditioner } from "../../core/prompt/mod.ts";
import { decodeRequest, planFor } from "../../core/request/mod.ts";
import type { Plan } from "../../core/schedule/mod.ts";
import { cpuRuntime, nativeRuntime } from "../../server/compute/mod.ts";
import { openTinySd } from "../fixtures/open_tiny_sd.ts";

/** Multiplies the network's output in the step of this place far above what float16 holds. */
function straying({ rows, ...plan }: Plan, at: number): Plan {
  return { ...plan, rows: rows.map((row, k) => k === at ? { ...row, fromOut: 1e9 } : row) };
}

test.each([["CPU", cpuRuntime], ["GPU", nativeRuntime]] as const)(
  "a run that leaves float16 on a %s ends at that step, by the caller's fault",
  async (_, open) => {
    await using model = await loadModel(await openTinySd(), await open());
    const defaults = { width: 64, height: 64, steps: 4, guidanceScale: 7.5, seed: 1n };
    const request = decodeRequest({ prompt: "tau" }, defaults);
    const conditioner = await PromptConditioner.load(model);
    const { plan } = planFor(model.config.scheduler, request);
    const emitted: string[] = [];
    const run = (plan: Plan) =>
      conditioner.condition(request).then((conditioning) =>
        denoise(model, {
          ...{ plan, dims: [4, 8, 8], seeds: [1n], conditionings: [conditioning] },
          ...{ guidanceScale: 7.5, guidanceRescale: 0, timeIds: [], adapterScales: [] },
        }, {
          clock: () => 0,
          onLeaf: ({ kind, index }) => emitted.push(`${kind}${index}`),
        })
      );
    const error = await run(straying(plan, 1)).then(() => undefined, (error: unknown) => error);
    expect(error).toMatchObject({
      code: "not_finite",
      message: expect.stringMatching(/^Cannot generate: the prediction of step 2 of 4 left/),
    });
    if (!(error instanceof AppError)) throw error;
    expect(errorFacts(error.code)).toMatchObject({ blame: "caller", status: 400 });
    // What left it is not committed to, nor what follows from it.
    expect(emitted).toEqual(["x0", "d0", "x1"]);
    await expect(run({ ...plan, initialScale: 1e6 })).rejects.toMatchObject({
      message: expect.stringMatching(/^Cannot generate: the noise that it starts from left/),
    });
    expect((await run(plan)).latents).toHaveLength(1);
  },
);
