import type { Recorded } from "./recorded_calls.ts";

/**
 * Adds what pipelines make of outputs: of a VAE's mean what a denoiser is given, `model_latent`; of
 * hidden states those that SDXL takes, `sdxl.default` and `sdxl_clip_skip.k`.
 */
export function derivedOutputs(
  config: unknown,
  outputs: ReadonlyMap<string, Recorded>,
): ReadonlyMap<string, Recorded> {
  const mean = outputs.get("mean");
  const derived = mean ? [["model_latent", modelLatent(config, mean)] as const] : [];
  return new Map([...outputs, ...derived, ...sdxlStates(outputs)]);
}

/** SDXL takes the last but one, and skips from there. */
function sdxlStates(outputs: ReadonlyMap<string, Recorded>): (readonly [string, Recorded])[] {
  const states = [...outputs].filter(([name]) => name.startsWith("hidden_states."));
  return states.slice(0, -1).toReversed().map(([, state], k) => [
    k === 0 ? "sdxl.default" : `sdxl_clip_skip.${k}`,
    state,
  ]);
}

function modelLatent(config: unknown, { dims, values }: Recorded): Recorded {
  const { scaling_factor: factor, shift_factor: shift, latents_mean: means, latents_std: stds } =
    Object(config);
  const area = dims[2] * dims[3];
  return {
    dims,
    values: values.map((value, i) => {
      const channel = Math.floor(i / area) % dims[1];
      const centre = means ? Number(means[channel]) : Number(shift ?? 0);
      return (value - centre) * Number(factor) / (stds ? Number(stds[channel]) : 1);
    }),
  };
}
