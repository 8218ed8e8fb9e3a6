import { LATENT_SCALE } from "../latent_scale.ts";
import type { Model } from "../inference/mod.ts";
import type { RequestDefaults } from "../request/mod.ts";

type Sampled = Pick<Model, "config" | "family"> & {
  readonly unet: Pick<Model["unet"], "readsGuidance">;
};

/** A model's recommended settings, as far as its folder says. Sizes in pixels. */
export function defaultsOf(model: Sampled): Omit<RequestDefaults, "seed"> {
  const { sampleSize } = model.config.denoiser;
  const [height, width] = typeof sampleSize === "number" ? [sampleSize, sampleSize] : sampleSize;
  return { width: LATENT_SCALE * width, height: LATENT_SCALE * height, ...samplingOf(model) };
}

/** LCM and Turbo models are distilled to few steps and to no guidance; their schedulers show it. */
function samplingOf({ config: { scheduler }, unet, family }: Sampled) {
  if (scheduler._class_name === "LCMScheduler") {
    return { steps: 4, guidanceScale: unet.readsGuidance ? 8 : 1 };
  }
  // A network of zero terminal SNR has to begin at the last timestep too, and is not distilled.
  const turbo = /^Euler/.test(String(scheduler._class_name)) &&
    scheduler.timestep_spacing === "trailing" && scheduler.rescale_betas_zero_snr !== true;
  if (turbo) return { steps: 1, guidanceScale: 0 };
  switch (family) {
    // As diffusers' pipelines; FLUX.1 [schnell] is distilled to four steps, and reads no guidance.
    case "flux":
      return unet.readsGuidance
        ? { steps: 28, guidanceScale: 3.5 }
        : { steps: 4, guidanceScale: 0 };
    case "sd3":
      return { steps: 28, guidanceScale: 7 };
    case "sdxl":
      return { steps: 30, guidanceScale: 5 };
    case "sd1":
    case "sd2":
      return { steps: 30, guidanceScale: 7.5 };
    default:
      return family satisfies never;
  }
}
