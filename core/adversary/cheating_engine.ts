import { AppError } from "../error.ts";
import { planFor, type PlanRequest } from "../request/mod.ts";
import type { ImageEngine } from "../generation/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { Cheat, States } from "./lab.ts";

/**
 * An engine that cheats: what a miner of this practice runs in the place of the honest one. Only
 * for cheats that need nothing but the model that was asked for.
 * @param scheduler the model's `scheduler_config.json`.
 * @param channels of its latents.
 */
export function cheatingEngine(
  engine: ImageEngine,
  cheat: Cheat,
  scheduler: Readonly<Record<string, unknown>>,
  channels: number,
): ImageEngine {
  const generate: ImageEngine["generate"] = async (request, { onLeaf, onStep } = {}) => {
    const planOf = (other: PlanRequest) => planFor(scheduler, other).plan;
    const plan = planOf(request);
    const latentDims = [
      channels,
      request.height / LATENT_SCALE,
      request.width / LATENT_SCALE,
    ] as const;
    const { x, d } = await cheat.run({
      ...{ request, plan, dims: latentDims, engine, planOf },
      cached: NOTHING,
      alteredEngine: () => Promise.reject(unsupported(cheat, "other weights")),
    });
    const steps = plan.rows.length;
    for (const [index, { timestep }] of plan.rows.entries()) {
      onLeaf?.({ kind: "x", index, bits: Uint16Array.from(x[index]) });
      onLeaf?.({ kind: "d", index, bits: Uint16Array.from(d[index]) });
      onStep?.({ index, steps, timestep, preview: () => undefined });
    }
    onLeaf?.({ kind: "x", index: steps, bits: Uint16Array.from(x[steps]) });
    return {
      ...{ request, plan, latentDims },
      images: [await engine.decode(request, x[steps])],
      timings: { textMs: 0, networkMs: [], solverMs: 0, decodeMs: 0 },
      deviceMemory: undefined,
      notices: [],
    };
  };
  return {
    model: engine.model,
    compute: engine.compute,
    backend: engine.backend,
    defaults: engine.defaults,
    generate: (request, options) => {
      if (request.batch > 1 || options?.batchedWith?.length) throw unsupported(cheat, "batches");
      return generate(request, options);
    },
    predict: (request, states, given) => engine.predict(request, states, given),
    decode: (request, bits) => engine.decode(request, bits),
    encode: (request, image, mask) => engine.encode(request, image, mask),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

const NOTHING: States = { x: [], d: [] };

function unsupported({ name }: Cheat, what: string): AppError {
  return new AppError("unsupported_setting", `Cannot cheat by ${name}: ${what} are not supported`);
}
