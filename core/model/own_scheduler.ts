import { z } from "zod";
import { AppError } from "../error.ts";
import { addsOptions } from "../schedule/mod.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import { type ModelIndex, readModelIndex } from "./model_index.ts";

const SCHEDULER_CONFIG = "scheduler/scheduler_config.json";

/** A model's scheduler as its pipeline uses it. */
export interface OwnScheduler {
  /**
   * For `planFor`: `scheduler_config.json` with what the pipeline changes in it, and as `_pipeline` its
   * class where that adds noise levels or a shift of its own.
   */
  readonly config: Readonly<Record<string, unknown>>;
  /** Sentences for the user: what was changed. */
  readonly notices: readonly string[];
}

/** Pipelines whose constructor changes the configuration of its scheduler: SD 1 and 2, not SDXL or LCM. */
const AMENDING =
  /^(?:ORT|Onnx|OV)?StableDiffusion(?:PAG|Onnx)?(?:Img2Img|Inpaint)?Pipeline(?:Safe)?$/;
/** Schedulers that clip unless told otherwise. */
const CLIPPING = /^DD[IP]M(?:Parallel)?Scheduler$/;
/** Of those that are planned here, the ones with `timestep_spacing` "leading" by default. */
const LEADING = /^DDIM(?:Parallel)?Scheduler$/;
/** Has no `steps_offset`, and so keeps none. */
const FLOW = /^FlowMatch/;

/**
 * Reads `scheduler_config.json` as the model's pipeline does. The class is that of
 * `model_index.json` where the file itself names none.
 * @throws AppError `model_invalid` naming the file.
 */
export async function readPipelineScheduler(files: ModelFiles): Promise<OwnScheduler> {
  const [index, json] = await Promise.all([
    readModelIndex(files),
    readJson(files, SCHEDULER_CONFIG),
  ]);
  const given = z.record(z.string(), z.unknown()).safeParse(json);
  if (!given.success) {
    throw new AppError(
      "model_invalid",
      `Cannot read ${SCHEDULER_CONFIG} of ${files.name}: it is no object (in ${files.location})`,
    );
  }
  const { className } = index;
  const config = {
    ...classOf(index),
    ...withoutNulls(given.data),
    ...addsOptions(className) && { _pipeline: className },
  };
  return AMENDING.test(className) ? amended(config, className) : { config, notices: [] };
}

/** null stands for the default of the class, as if the key were not there. */
export function withoutNulls(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

function classOf({ json }: ModelIndex): { readonly _class_name?: string } {
  const [, name] = Array.isArray(json.scheduler) ? json.scheduler : [];
  return typeof name === "string" ? { _class_name: name } : {};
}

/**
 * What diffusers' `StableDiffusionPipeline` does to a scheduler, with a notice on each: `steps_offset`
 * becomes 1, `clip_sample` false.
 */
function amended(config: Readonly<Record<string, unknown>>, pipeline: string): OwnScheduler {
  const name = String(config._class_name);
  const changes: Record<string, unknown> = {};
  const notices: string[] = [];
  const change = (key: string, from: unknown, to: unknown, notify: boolean) => {
    changes[key] = to;
    if (!notify) return;
    const was = key in config ? `is ${from}` : `is not set, ${from} by default`;
    notices.push(
      `${key} of the model's ${name} ${was}: ${to} was used, as diffusers' ${pipeline} does`,
    );
  };
  const offset = config.steps_offset ?? 0;
  // The offset is read for "leading" alone.
  const leading = (config.timestep_spacing ?? (LEADING.test(name) ? "leading" : "")) === "leading";
  if (offset !== 1 && !FLOW.test(name)) change("steps_offset", offset, 1, leading);
  const clips = config.clip_sample ?? CLIPPING.test(name);
  if (clips === true) change("clip_sample", clips, false, CLIPPING.test(name));
  return { config: { ...config, ...changes }, notices };
}
