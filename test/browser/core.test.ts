import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer";
import { build } from "vite";
import { expect, test } from "vitest";
import { gaussianNoise, planFromConfig } from "../../core/mod.ts";
import { findChrome } from "../../server/compute/mod.ts";

/** One of each: every elementary function that a plan can need is behind one of these. */
const CONFIGS = [
  { _class_name: "DPMSolverMultistepScheduler", use_karras_sigmas: true },
  { _class_name: "DPMSolverMultistepScheduler", algorithm_type: "sde-dpmsolver++" },
  { _class_name: "DPMSolverMultistepScheduler", solver_order: 3, use_beta_sigmas: true },
  { _class_name: "DPMSolverMultistepScheduler", use_lu_lambdas: true },
  { _class_name: "EulerDiscreteScheduler", use_exponential_sigmas: true },
  { _class_name: "EulerDiscreteScheduler", interpolation_type: "log_linear" },
  { _class_name: "EulerAncestralDiscreteScheduler", beta_schedule: "scaled_linear" },
  { _class_name: "DDIMScheduler", clip_sample: false, beta_schedule: "squaredcos_cap_v2" },
  { _class_name: "LCMScheduler" },
  { _class_name: "UniPCMultistepScheduler", solver_order: 3 },
  { _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3 },
];

/** core/mod.ts as one classic script that defines the global `core`. */
async function bundleCore(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL("../../core/mod.ts", import.meta.url)),
        formats: ["iife"],
        name: "core",
      },
    },
  });
  const [bundle] = [result].flat();
  if (!("output" in bundle)) throw new Error("Cannot bundle core: vite gave a watcher");
  return bundle.output[0].code;
}

test("core runs in Chrome unchanged and gives the same noise and plans", async () => {
  const code = await bundleCore();
  await using browser = await puppeteer.launch({
    executablePath: findChrome(),
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
  });
  const page = await browser.newPage();
  await page.evaluate(code + "; globalThis.core = core;");
  const [noise, plans] = await page.evaluate(`[
    [...core.gaussianNoise(12345678901n, 7, 1000)],
    JSON.stringify(${JSON.stringify(CONFIGS)}.map((config) => core.planFromConfig(config, 20))),
  ]`) as [number[], string];
  // To the last bit: plans are hashed.
  expect(plans).toBe(JSON.stringify(CONFIGS.map((config) => planFromConfig(config, 20))));
  const own = gaussianNoise(12345678901n, 7, 1000);
  // Engines may differ in the last bit of Math.log and sin: ECMAScript leaves it to them.
  noise.forEach((value, i) => expect(Math.abs(value - own[i])).toBeLessThan(5e-7));
});
