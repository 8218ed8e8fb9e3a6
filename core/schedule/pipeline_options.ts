import { linspace } from "./grid.ts";
import type { PlanOptions } from "./plan_from_config.ts";

/** How a diffusers pipeline calls the flow-match scheduler. */
interface FlowPipeline {
  /** Whether it gives noise levels of its own: evenly from 1 to 1/N. */
  readonly ownSigmas: boolean;
  /** The shift of the largest image, where the scheduler's class has none. */
  readonly maxShift: number;
  /** The length that it takes for every image's, where it takes that of no image. */
  readonly tokens?: number;
}

const FLOW_MATCH = "FlowMatchEulerDiscreteScheduler";
/** `max_shift` of that class, which its config has also where the file does not say it. */
const FLOW_MATCH_SHIFT = 1.15;

const asFlux: FlowPipeline = { ownSigmas: true, maxShift: 1.15 };

const PIPELINES: Readonly<Record<string, FlowPipeline>> = {
  FluxPipeline: asFlux,
  ChromaPipeline: asFlux,
  QwenImagePipeline: asFlux,
  // Reads the latent's channels, 16, where the others read the tokens.
  Lumina2Pipeline: { ...asFlux, tokens: 16 },
  StableDiffusion3Pipeline: { ownSigmas: false, maxShift: 1.16 },
};

/** Whether a pipeline adds anything. @param pipeline `_class_name` of the model's `model_index.json`. */
export function addsOptions(pipeline: unknown): pipeline is string {
  return typeof pipeline === "string" && Object.hasOwn(PIPELINES, pipeline);
}

/**
 * What a pipeline adds to its scheduler's config: its own noise levels, and the shift for the
 * image's size. Nothing for pipelines that add nothing.
 * @param pipeline `_class_name` of the model's `model_index.json`.
 * @param config The scheduler's, parsed: one that takes no noise levels is given none.
 * @param imageTokens The transformer's, of one image: 16 x 16 pixels each in all that are known.
 */
export function pipelineOptions(
  pipeline: string,
  config: Readonly<Record<string, unknown>>,
  steps: number,
  imageTokens: number,
): PlanOptions {
  if (!addsOptions(pipeline)) return {};
  const { ownSigmas, maxShift, tokens = imageTokens } = PIPELINES[pipeline];
  const flowMatch = isFlowMatch(config);
  const max = flowMatch ? FLOW_MATCH_SHIFT : maxShift;
  return {
    ...(config.use_dynamic_shifting === true && { mu: imageShift(config, tokens, max) }),
    ...(ownSigmas && flowMatch && { sigmas: linspace(1, 1 / steps, steps) }),
  };
}

/** Not DPM-Solver or UniPC, which make a flow's noise levels themselves. */
function isFlowMatch({ _class_name: name = FLOW_MATCH }: Readonly<Record<string, unknown>>) {
  return name === FLOW_MATCH;
}

/** mu on the line through the shifts of the shortest and the longest image. */
function imageShift(
  config: Readonly<Record<string, unknown>>,
  tokens: number,
  defaultMax: number,
): number {
  const at = (key: string, otherwise: number) => Number(config[key] ?? otherwise);
  const [shortest, longest] = [at("base_image_seq_len", 256), at("max_image_seq_len", 4096)];
  const [low, high] = [at("base_shift", 0.5), at("max_shift", defaultMax)];
  const slope = (high - low) / (longest - shortest);
  return tokens * slope + (low - slope * shortest);
}
