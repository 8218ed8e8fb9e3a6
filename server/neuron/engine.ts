import {
  checkFit,
  type GenerationRequest,
  type Planner,
  plannerOf,
} from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  controlNames,
  type KnownModel,
  layoutWithEncoder,
  type ModelConfig,
  type ModelFacts,
  type MountedAdapter,
  readModelConfig,
} from "../../core/model/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { openKnownModel } from "../models/mod.ts";

import type { NeuronOptions } from "./flags.ts";

/** What is known of a model, also where its files are not: it goes through JSON. */
export interface ModelRules {
  readonly facts: ModelFacts;
  readonly config: Pick<ModelConfig, "scheduler" | "denoiser">;
  /** LoRAs that requests may name. */
  readonly adapters: readonly Pick<MountedAdapter, "sha256" | "name">[];
  /** ControlNets that they may name. */
  readonly controls: readonly string[];
  /** Whether it has the encoder that images are started from with. */
  readonly encodes: boolean;
  /** The catalogue's before the model's own. */
  readonly defaults: ImageEngine["defaults"];
}

/** A model on this machine, with what receipts and checks say of it. */
export interface NeuronEngine extends ModelRules {
  readonly engine: ImageEngine;
  readonly model: KnownModel;
  readonly plans: Planner;
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
}

/** @returns a check that throws for what the model cannot make. */
export function checkByRules(
  { config: { denoiser, scheduler }, adapters, controls, encodes }: Omit<
    ModelRules,
    "facts" | "defaults"
  >,
  plans = plannerOf(scheduler),
): (request: GenerationRequest) => void {
  return (request) => checkFit({ plans, denoiser, adapters, controls, encodes }, request);
}

type EngineOptions = Pick<
  NeuronOptions,
  "model" | "variant" | "vae" | "configs" | "adapters" | "controls" | "compute" | "gpu" | "log"
>;

/** @param stack frees all when it is disposed. */
export async function openEngine(
  { model: given, adapters: loras, compute, gpu, log, ...opening }: EngineOptions,
  stack: AsyncDisposableStack,
): Promise<NeuronEngine> {
  const { variant, vae, configs, controls: nets } = opening;
  const of = { variant, vae, configs, adapters: loras, controls: nets };
  const model = await openKnownModel(given, of);
  const host = stack.use(await openCompute(parseComputeKind(compute), { gpu }));
  const engine = stack.use(await host.open(model.files));
  log("model", { model: engine.model, compute: engine.compute, reason: host.reason });
  const [facts, config, encoder] = await Promise.all([
    model.facts(),
    readModelConfig(model.files),
    layoutWithEncoder(model.files),
  ]);
  const plans = plannerOf(config.scheduler);
  const adapters = (model.files.adapters ?? []).map(({ sha256, name }) => ({ sha256, name }));
  const controls = controlNames(model.files);
  const defaults = { ...engine.defaults, ...model.defaults };
  const rules = { facts, config, adapters, controls, encodes: encoder !== undefined, defaults };
  return { engine, model, plans, ...rules, checkRequest: checkByRules(rules, plans) };
}
