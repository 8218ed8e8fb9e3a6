import { named } from "../named.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import type { Refuse } from "./part.ts";

export type Prediction = "epsilon" | "v_prediction";

/** What a file says of how its network was trained. */
export interface Sampling {
  /** Undefined where it says nothing. */
  readonly prediction?: Prediction;
  /** The last timestep is noise alone. */
  readonly zeroTerminalSnr: boolean;
}

type Metadata = Readonly<Record<string, string>>;

/** Of modelspec (https://github.com/Stability-AI/ModelSpec), which kohya's scripts write too. */
const MODELSPEC: ReadonlyMap<string, Prediction> = new Map([
  ["epsilon", "epsilon"],
  ["v", "v_prediction"],
]);

/**
 * Reads what ComfyUI reads, the keys `v_pred` and `ztsnr`, and the notes of trainers. The keys come
 * first: they are set by hand where notes of the model before were kept.
 */
export function readSampling(tensors: TensorIndex, metadata: Metadata, refuse: Refuse): Sampling {
  const edm = [...tensors.keys()].filter((name) => /^edm_/.test(name));
  if (edm.length > 0) {
    refuse(`${named(edm)} say that it was trained as EDM, and no plan is made for that`);
  }
  const noted = metadata.ss_zero_terminal_snr?.toLowerCase() === "true";
  return {
    prediction: tensors.has("v_pred") ? "v_prediction" : notedPrediction(metadata, refuse),
    zeroTerminalSnr: tensors.has("ztsnr") || noted,
  };
}

function notedPrediction(metadata: Metadata, refuse: Refuse): Prediction | undefined {
  const noted = metadata["modelspec.prediction_type"];
  if (noted !== undefined) {
    return MODELSPEC.get(noted) ?? refuse(`its modelspec.prediction_type is ${noted.slice(0, 40)}`);
  }
  const architecture = metadata["modelspec.architecture"] ?? metadata.ss_base_model_version ?? "";
  if (/-768-v$|^sd_v2_v$/.test(architecture)) return "v_prediction";
  return /-v2-512$|^sd_v2$/.test(architecture) ? "epsilon" : undefined;
}

/** No file names a sampler. Betas and spacing are those of SD 1, SD 2 and SDXL as published. */
const EULER = {
  _class_name: "EulerDiscreteScheduler",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  num_train_timesteps: 1000,
  prediction_type: "epsilon",
  rescale_betas_zero_snr: false,
  steps_offset: 1,
  timestep_spacing: "leading",
};

/**
 * `scheduler_config.json` of the model.
 * @param own one that is given, to be taken instead of the published one.
 */
export function schedulerConfig(
  { prediction, zeroTerminalSnr }: Sampling,
  own: Readonly<Record<string, unknown>> = EULER,
): Readonly<Record<string, unknown>> {
  const config = prediction ? { ...own, prediction_type: prediction } : own;
  if (!zeroTerminalSnr || config.prediction_type !== "v_prediction") return config;
  // Trained on pure noise, it has to begin there: https://arxiv.org/abs/2305.08891, section 3.3.
  return { ...config, rescale_betas_zero_snr: true, timestep_spacing: "trailing" };
}
