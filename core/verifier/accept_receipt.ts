import { AppError } from "../error.ts";
import {
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  type Planner,
  plannerOf,
} from "../request/mod.ts";
import {
  isGuided,
  type KnownModel,
  type ModelFacts,
  OWN_CONTROL,
  readLatentChannels,
  readOwnScheduler,
  readsMask,
  type Tolerance,
} from "../model/mod.ts";
import { MAX_CLOCK_SKEW_MS, type Receipt } from "../transcript/mod.ts";
import { type CheckedReceipt, type CheckedStatement, checkReceipt } from "./check_receipt.ts";

/** The model as the checker has it. Of its files only JSON is read. */
export type OwnModel = Pick<KnownModel, "files" | "facts" | "tolerances">;

/** What the checker's model says of every receipt of it. */
export interface OwnSettings {
  readonly facts: ModelFacts;
  /** For a precision that is not there, the stated defaults hold. */
  readonly tolerances: readonly Tolerance[];
  /** Of its `scheduler_config.json`, as the model's pipeline uses it. */
  readonly plans: Planner;
  /** Of its latents. */
  readonly channels: number;
  /** Its network reads masks. */
  readonly readsMask: boolean;
  /** Guidance puts two of its predictions together. */
  readonly guided: boolean;
}

/** Of the plan that shows whether a scheduler's configuration can be used at all. */
const TRIAL_STEPS = 10;
const TRIAL_SIZE = { width: 512, height: 512 };

/** Reads what is compared with receipts. @throws AppError as `openVerifier`. */
export async function ownSettings(
  { files, facts, tolerances }: OwnModel,
): Promise<OwnSettings> {
  const [channels, masked] = [await readLatentChannels(files), await readsMask(files)];
  const { config } = await readOwnScheduler(files);
  const plans = plannerOf(config);
  plans({ scheduler: undefined, steps: TRIAL_STEPS, ...TRIAL_SIZE });
  const guided = await isGuided(files);
  return { facts: await facts(), tolerances, plans, channels, readsMask: masked, guided };
}

export interface Accepted {
  readonly committed: CheckedReceipt;
  readonly request: GenerationRequest;
}

/** Level 0 for a receipt. @throws AppError as `Verifier.accept`. */
export function acceptReceipt(
  given: Receipt | CheckedStatement,
  { facts, plans, channels, readsMask: masked }: OwnSettings,
  now = Date.now(),
): Accepted {
  const receipt = "receipt" in given ? given.receipt : given;
  const { width, height, steps, seed } = receipt.request;
  const defaults = { width, height, steps, guidanceScale: 1, seed: BigInt(seed) };
  const request = decodeRequest(receipt.request, defaults);
  const committed = checkReceipt(given, {
    plan: plans(request).plan,
    // Decoded and encoded again nothing may differ: a default that was left open would be added.
    request: encodeRequest(request),
    manifest: facts.manifest,
    now: now + MAX_CLOCK_SKEW_MS,
  });
  if (receipt.model.control !== usedControl(request, facts)) {
    refuse("model's own ControlNet", usedControl(request, facts) ?? "left out");
  }
  if (receipt.model.precision !== facts.precision) refuse("precision", facts.precision);
  const stated = receipt.version === 1 ? undefined : receipt.sources;
  if ((stated !== undefined) !== masked) {
    refuse("sources", masked ? "with the latent that is kept" : "left out");
  }
  if (receipt.latent[0] !== channels) refuse("number of channels", String(channels));
  return { committed, request };
}

/** What the receipt must state of the model's own ControlNet. */
function usedControl({ control }: GenerationRequest, facts: ModelFacts): string | undefined {
  return control.some(({ network }) => network === OWN_CONTROL) ? facts.control : undefined;
}

function refuse(what: string, expected: string): never {
  throw new AppError(
    "receipt_mismatch",
    `Cannot accept the receipt: its ${what} is not ${expected}, as the model has it`,
  );
}
