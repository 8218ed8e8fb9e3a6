import {
  checkFit,
  type GenerationRequest,
  type Planner,
  plannerOf,
} from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  type KnownModel,
  layoutWithEncoder,
  type ModelFacts,
  type MountedAdapter,
  readModelConfig,
} from "../../core/model/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { openKnownModel } from "../models/mod.ts";

import type { NeuronOptions } from "./flags.ts";

/** A model on this machine, with what receipts and checks say of it. */
export interface NeuronEngine {
  readonly engine: ImageEngine;
  readonly model: KnownModel;
  readonly facts: ModelFacts;
  readonly plans: Planner;
  /** LoRAs that requests may name. */
  readonly adapters: readonly Pick<MountedAdapter, "sha256" | "name">[];
  /** The catalogue's before the model's own. */
  readonly defaults: ImageEngine["defaults"];
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
}

type EngineOptions = Pick<
  NeuronOptions,
  "model" | "variant" | "vae" | "configs" | "adapters" | "compute" | "gpu" | "log"
>;

/** @param stack frees all when it is disposed. */
export async function openEngine(
  { model: given, variant, vae, configs, adapters: loras, compute, gpu, log }: EngineOptions,
  stack: AsyncDisposableStack,
): Promise<NeuronEngine> {
  const model = await openKnownModel(given, { variant, vae, configs, adapters: loras });
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
  return {
    ...{
      engine,
      model,
      facts,
      plans,
      adapters,
      defaults: { ...engine.defaults, ...model.defaults },
    },
    checkRequest: (request) =>
      checkFit({ plans, unet: config.unet, adapters, encodes: encoder !== undefined }, request),
  };
}
