import { checkFit, type GenerationRequest } from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  type CatalogueEntry,
  catalogueEntryOf,
  type ModelFiles,
  readModelConfig,
} from "../../core/model/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { knownModels, type ModelFacts, modelFacts, openModel } from "../models/mod.ts";

import type { NeuronOptions } from "./flags.ts";

/** A model on this machine, with what receipts and checks say of it. */
export interface NeuronEngine {
  readonly engine: ImageEngine;
  readonly files: ModelFiles;
  readonly facts: ModelFacts;
  /** Of the catalogue, if it is there. */
  readonly known: CatalogueEntry | undefined;
  /** The catalogue's before the model's own. */
  readonly defaults: ImageEngine["defaults"];
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
}

/** @param stack frees all when it is disposed. */
export async function openEngine(
  { model, variant, compute, log }: NeuronOptions,
  stack: AsyncDisposableStack,
): Promise<NeuronEngine> {
  const files = await openModel(model, { variant });
  const host = stack.use(await openCompute(parseComputeKind(compute)));
  const engine = stack.use(await host.open(files));
  log("model", { model: engine.model, compute: engine.compute, reason: host.reason });
  const known = catalogueEntryOf(model, knownModels());
  const [facts, config] = await Promise.all([modelFacts(files, known), readModelConfig(files)]);
  return {
    ...{ engine, files, facts, known, defaults: { ...engine.defaults, ...known?.defaults } },
    checkRequest: (request) => checkFit(config, request),
  };
}
