import { SAMPLERS, SCHEDULES } from "../../../core/infotext/mod.ts";
import type { NamedLora } from "./order.ts";

/** What AUTOMATIC1111's clients read before they ask for an image. */

interface Model {
  readonly id: string;
  /** `manifestHash`. */
  readonly manifest: string;
}

const RHO = 7;

export function samplersList(): unknown[] {
  return SAMPLERS.map(({ name, aliases, usual, spaced }) => ({
    ...{ name, aliases },
    options: spaced ? { scheduler: usual.toLowerCase().replaceAll(" ", "_") } : {},
  }));
}

export function schedulersList(): unknown[] {
  return SCHEDULES.map(({ name, label, aliases }) => ({
    ...{ name, label, aliases },
    ...{ default_rho: name === "karras" ? RHO : -1, need_inner_model: false },
  }));
}

function titleOf({ id, manifest }: Model): string {
  return `${id} [${manifest.slice(0, 10)}]`;
}

export function modelsList(model: Model): unknown[] {
  const { id, manifest } = model;
  return [{
    ...{ title: titleOf(model), model_name: id, hash: manifest.slice(0, 10), sha256: manifest },
    ...{ filename: id, config: null },
  }];
}

export function lorasList(loras: readonly NamedLora[]): unknown[] {
  return loras.map(({ name, sha256 }) => ({
    ...{ name, alias: name, path: `${name}.safetensors`, metadata: { sha256 } },
  }));
}

/** The first has to be there: clients take it for "none". */
export function upscalersList(): unknown[] {
  return ["None", "Lanczos"].map((name) => ({
    ...{ name, model_name: null, model_path: null, model_url: null, scale: 4 },
  }));
}

/** What clients read of the options, and send back as a whole. */
export function optionsOf(model: Model): Record<string, unknown> {
  return {
    ...{
      sd_model_checkpoint: titleOf(model),
      sd_checkpoint_hash: model.manifest,
      sd_vae: "Automatic",
    },
    ...{ samples_format: "png", CLIP_stop_at_last_layers: 1, enable_pnginfo: true },
    ...{ img2img_fix_steps: false, eta_ancestral: 1, randn_source: "CPU" },
  };
}
