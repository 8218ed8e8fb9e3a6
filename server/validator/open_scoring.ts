import { AppError } from "../../core/error.ts";
import { parseJsonText } from "../../core/json_text.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import { checkWork, type GenerationRequest, type RequestDefaults } from "../../core/request/mod.ts";
import type { ModelFacts } from "../../core/model/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import { claimOf, openVerifier, tailOf as claimedTail } from "../../core/verifier/mod.ts";
import { openCalibration } from "../calibrate/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import {
  checkByRules,
  EngineWatch,
  type ModelRules,
  type NeuronOptions,
  openEngine,
} from "../neuron/mod.ts";
import { knownEntry } from "../models/mod.ts";
import { type Log, traced } from "../telemetry/mod.ts";
import { checksOf, RULES, RULES_SECONDS } from "./check_messages.ts";
import { CheckWorker } from "./check_worker.ts";
import { clusterScorer } from "./cluster_scorer.ts";
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

interface ScoringNeeds {
  readonly metrics: ValidatorMetrics;
  readonly codec: ImageCodec;
}

/** A model on this machine, scorers of the cluster, or the scoring API of another validator. */
export async function openScoring(
  options: ValidatorOptions,
  needs: ScoringNeeds,
  stack: AsyncDisposableStack,
): Promise<Scoring> {
  const { cluster, roles, wallet: { hotkey } } = options;
  const own = roles.score ? await openOwnScoring(options, needs.codec, stack) : undefined;
  const found = cluster
    ? await scorersOf(cluster, hotkey.address, own, { log: options.log, stack })
    : own;
  if (!found) return { ...otherValidator(options, needs.metrics), checkRequest: () => {} };
  const { scorer, rules } = found;
  const { facts, adapters, defaults } = rules;
  const checkRequest = checkByRules(rules);
  return {
    scorer: counted(scorer, needs.metrics),
    ...{ defaults, model: facts, loras: adapters, compute: own?.compute, problem: own?.problem },
    checkRequest: (request) => {
      checkWork(request, defaults, options.forward.maxWork);
      checkRequest(request);
    },
  };
}

/** All scorers of a cluster, of which this process may be one. */
async function scorersOf(
  cluster: Cluster,
  of: string,
  own: OwnScoring | undefined,
  { log, stack }: { readonly log: Log; readonly stack: AsyncDisposableStack },
): Promise<Pick<OwnScoring, "scorer" | "rules">> {
  if (own) stack.use(await joinAsScorer(cluster, of, own, log));
  const rules = own?.rules ?? await rulesLeft(cluster, of);
  return { rules, scorer: await clusterScorer(cluster, checksOf(of, rules.facts.manifest)) };
}

/** What makes checks on this machine. */
export interface OwnScoring {
  readonly scorer: Scorer;
  readonly rules: ModelRules;
  readonly compute: string;
  readonly problem: () => string | undefined;
}

/** What an engine and its checks are opened with. */
export type OwnOptions =
  & Omit<NeuronOptions, "wallet" | "hostname" | "port" | "folder">
  & Pick<ValidatorOptions, "calibration" | "fetchMs">;

/** Opens the model, with an engine. */
export async function openOwnScoring(
  options: OwnOptions,
  codec: ImageCodec,
  stack: AsyncDisposableStack,
): Promise<OwnScoring> {
  const { engine: opened, model, ...rules } = await openEngine(options, stack);
  const { engine } = stack.use(new EngineWatch(opened, options.log));
  const verifier = await openVerifier(model);
  const records = await openCalibration(model.entry, options.calibration, model.tolerances);
  const tailOf = (receipt: Receipt) => claimedTail(records, claimOf(receipt), engine.backend.host);
  return {
    scorer: localScorer(verifier, engine, { fetchMs: options.fetchMs, codec, tailOf }),
    ...{ rules, compute: engine.compute, problem: () => engine.problem },
  };
}

/** Makes checks for all processes of the validator, and leaves them what the model is. */
export async function joinAsScorer(
  cluster: Cluster,
  of: string,
  { scorer, rules: { facts, config, adapters, controls, encodes, defaults } }: OwnScoring,
  log: Log,
): Promise<CheckWorker> {
  const rules: ModelRules = { facts, config, adapters, controls, encodes, defaults };
  const left = await cluster.blobs(RULES, RULES_SECONDS);
  await left.put(of, new TextEncoder().encode(JSON.stringify(rules)));
  const kind = checksOf(of, facts.manifest);
  return await CheckWorker.start({ cluster, kind, of, scorer, log });
}

/** @throws AppError `host_unavailable` where no scorer ever was. */
async function rulesLeft(cluster: Cluster, of: string): Promise<ModelRules> {
  const left = await (await cluster.blobs(RULES, RULES_SECONDS)).get(of);
  if (left) return parseJsonText(new TextDecoder().decode(left)) as ModelRules;
  throw new AppError(
    "host_unavailable",
    "Cannot validate: no scorer of this hotkey has joined the cluster; start one with " +
      "deno task validator --role score --cluster",
  );
}

/** @throws AppError `invalid_request` where nobody is named. */
function otherValidator(
  { scoring, wallet, model }: ValidatorOptions,
  metrics: ValidatorMetrics,
): Pick<Scoring, "scorer" | "defaults"> {
  const entry = knownEntry(model);
  if (!scoring || !entry) {
    throw new AppError(
      "invalid_request",
      "Cannot validate: the stress role alone needs --cluster, or --scoring.url and " +
        "--scoring.hotkey of who checks, and --model is one of the catalogue then",
    );
  }
  const scorer = counted(remoteScorer(scoring, wallet.hotkey), metrics);
  return { scorer, defaults: entry.defaults };
}

function counted(scorer: Scorer, metrics: ValidatorMetrics): Scorer {
  return async (answer, image) => {
    const score = await traced(
      "check",
      { miner: answer.receipt.miner },
      () => scorer(answer, image),
    );
    metrics.scored(score.verdict);
    return score;
  };
}
