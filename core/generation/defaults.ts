import { LATENT_SCALE } from "../latent_scale.ts";
import type { Model } from "../inference/mod.ts";
import type { RequestDefaults } from "../request/mod.ts";

type Sampled = Pick<Model, "config" | "family"> & {
  readonly unet: Pick<Model["unet"], "distilled">;
};

/** A model's recommended settings, as far as its folder says. Sizes in pixels. */
export function defaultsOf(model: Sampled): Omit<RequestDefaults, "seed"> {
  const { sample_size } = model.config.unet;
  const [height, width] = typeof sample_size === "number"
    ? [sample_size, sample_size]
    : sample_size;
  return { width: LATENT_SCALE * width, height: LATENT_SCALE * height, ...samplingOf(model) };
}

/** LCM and Turbo models are distilled to few steps and to no guidance; their schedulers show it. */
function samplingOf({ config: { scheduler }, unet, family }: Sampled) {
  if (scheduler._class_name === "LCMScheduler") {
    return { steps: 4, guidanceScale: unet.distilled ? 8 : 1 };
  }
  // A network of zero terminal SNR has to begin at the last timestep too, and is not distilled.
  const turbo = /^Euler/.test(String(scheduler._class_name)) &&
    scheduler.timestep_spacing === "trailing" && scheduler.rescale_betas_zero_snr !== true;
  if (turbo) return { steps: 1, guidanceScale: 0 };
  return { steps: 30, guidanceScale: family === "sdxl" ? 5 : 7.5 };
}
