import type { Model } from "../inference/mod.ts";
import type { RequestDefaults } from "../request/mod.ts";

/** What a model likes to be run with, as far as its folder tells. Sizes in pixels. */
export function defaultsOf(model: Pick<Model, "config" | "family">): Omit<RequestDefaults, "seed"> {
  const { sample_size } = model.config.unet;
  const [height, width] = Array.isArray(sample_size) ? sample_size : [sample_size, sample_size];
  return { width: 8 * width, height: 8 * height, ...samplingOf(model) };
}

/** LCM and Turbo models are distilled to few steps and to no guidance; their schedulers show it. */
function samplingOf({ config: { scheduler, unet }, family }: Pick<Model, "config" | "family">) {
  if (scheduler._class_name === "LCMScheduler") {
    return { steps: 4, guidanceScale: unet.time_cond_proj_dim ? 8 : 1 };
  }
  const turbo = /^Euler/.test(String(scheduler._class_name)) &&
    scheduler.timestep_spacing === "trailing";
  if (turbo) return { steps: 1, guidanceScale: 0 };
  return { steps: 30, guidanceScale: family === "sdxl" ? 5 : 7.5 };
}
