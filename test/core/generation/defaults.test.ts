import { expect, test } from "vitest";
import { defaultsOf } from "../../../core/generation/defaults.ts";

/** A model as far as its defaults go. */
function sdxl(scheduler: Readonly<Record<string, unknown>>) {
  const config = { denoiser: { sampleSize: 128 }, scheduler };
  return { config, family: "sdxl", unet: { readsGuidance: false } } as unknown as Parameters<
    typeof defaultsOf
  >[0];
}

// SDXL-Turbo's published scheduler, and that of a v-prediction network of zero terminal SNR.
test.each([
  [{ timestep_spacing: "trailing" }, { steps: 1, guidanceScale: 0 }],
  [
    { timestep_spacing: "trailing", rescale_betas_zero_snr: true },
    { steps: 30, guidanceScale: 5 },
  ],
  [{ timestep_spacing: "leading" }, { steps: 30, guidanceScale: 5 }],
])("Euler with %j is sampled with %j", (settings, sampling) => {
  const scheduler = { _class_name: "EulerDiscreteScheduler", ...settings };
  expect(defaultsOf(sdxl(scheduler))).toEqual({ width: 1024, height: 1024, ...sampling });
});
