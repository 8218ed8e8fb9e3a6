import { AppError } from "../../core/error.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import { checkWork, type GenerationRequest, type RequestDefaults } from "../../core/request/mod.ts";
import type { ModelFacts } from "../../core/model/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import { openVerifier, schedulerKey, tailOf as claimedTail } from "../../core/verifier/mod.ts";
import { openCalibration } from "../calibrate/mod.ts";
import { EngineWatch, openEngine } from "../neuron/mod.ts";
import { knownEntry } from "../models/mod.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import { localScorer, remoteScorer, type Scorer } from "./scorer.ts";
import type { ValidatorOptions } from "./validator_options.ts";

/** What checks miners, and what it can make. */
export interface Scoring {
  readonly scorer: Scorer;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
  /** With a model of its own alone. */
  readonly model?: Pick<ModelFacts, "id" | "manifest">;
  /** LoRAs that requests may name. */
  readonly loras?: readonly { readonly name?: string; readonly sha256: string }[];
  readonly compute?: string;
  /** Why it can check nothing now, as a sentence. */
  readonly problem?: () => string | undefined;
}

/** A model on this machine, or the scoring API of another. */
export async function openScoring(
  options: ValidatorOptions,
  { metrics, codec }: { readonly metrics: ValidatorMetrics; readonly codec: ImageCodec },
  stack: AsyncDisposableStack,
): Promise<Scoring> {
  const { scoring, wallet, roles } = options;
  if (!roles.forward) {
    const entry = knownEntry(options.model);
    if (!scoring || !entry) {
      throw new AppError(
        "invalid_request",
        "Cannot validate: without the forward role --scoring.url and --scoring.hotkey name who " +
          "checks, and --model is one of the catalogue",
      );
    }
    const scorer = counted(remoteScorer(scoring, wallet.hotkey), metrics);
    return { scorer, defaults: entry.defaults, checkRequest: () => {} };
  }
  const { engine: own, model, facts, adapters, defaults, checkRequest } = await openEngine(
    options,
    stack,
  );
  const { engine } = stack.use(new EngineWatch(own, options.log));
  const verifier = await openVerifier(model);
  const records = await openCalibration(model.entry, options.calibration, model.tolerances);
  const tailOf = ({ model, request }: Receipt) =>
    claimedTail(records, { ...model, scheduler: schedulerKey(request.scheduler) });
  return {
    scorer: counted(
      localScorer(verifier, engine, { fetchMs: options.fetchMs, codec, tailOf }),
      metrics,
    ),
    defaults,
    checkRequest: (request) => {
      checkWork(request, defaults, options.forward.maxWork);
      checkRequest(request);
    },
    model: facts,
    loras: adapters,
    compute: engine.compute,
    problem: () => engine.problem,
  };
}

function counted(scorer: Scorer, metrics: ValidatorMetrics): Scorer {
  return async (answer, image) => {
    const score = await scorer(answer, image);
    metrics.scored(score.verdict);
    return score;
  };
}
