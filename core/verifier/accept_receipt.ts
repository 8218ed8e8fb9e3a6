import { AppError } from "../error.ts";
import { decodeRequest, encodeRequest, type GenerationRequest, planFor } from "../request/mod.ts";
import { type ModelFiles, readLatentChannels, readOwnScheduler } from "../model/mod.ts";
import { MAX_CLOCK_SKEW_MS, type Receipt } from "../transcript/mod.ts";
import { type CheckedReceipt, checkReceipt } from "./check_receipt.ts";

/** The model as the checker has it. */
export interface OwnModel {
  /** Up to level 1 only JSON is read of them. */
  readonly files: ModelFiles;
  /** Manifest and precision, from the files or from the catalogue. */
  readonly facts: Receipt["model"];
  /** As the catalogue has them; the stated defaults where it has none. */
  readonly tolerances: readonly unknown[];
}

/** What the checker's model says of every receipt of it. */
export interface OwnSettings {
  readonly facts: Receipt["model"];
  /** `scheduler_config.json` as the model's pipeline uses it. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Of its latents. */
  readonly channels: number;
}

/** Of the plan that tells whether a scheduler's configuration can be used at all. */
const TRIAL_STEPS = 10;

/**
 * Reads what is compared with a receipt. Whatever is wrong here is wrong on the checker's side.
 * @throws AppError `model_invalid`, `invalid_config` or `unsupported_setting`.
 */
export async function ownSettings({ files, facts }: OwnModel): Promise<OwnSettings> {
  const channels = await readLatentChannels(files);
  const { config: scheduler } = await readOwnScheduler(files);
  planFor(scheduler, { scheduler: undefined, steps: TRIAL_STEPS });
  return { facts, scheduler, channels };
}

export interface Accepted {
  readonly committed: CheckedReceipt;
  readonly request: GenerationRequest;
}

/**
 * Level 0 for a receipt: signed, complete, by the plan that follows from its request, and of the
 * model that the checker has. Loads nothing.
 * @throws AppError `signature_invalid`, `receipt_mismatch`; of a request that is none
 * `invalid_request`, `invalid_config` or `unsupported_setting`.
 */
export function acceptReceipt(
  receipt: Receipt,
  { facts, scheduler, channels }: OwnSettings,
  now = Date.now(),
): Accepted {
  const { width, height, steps, seed } = receipt.request;
  const defaults = { width, height, steps, guidanceScale: 1, seed: BigInt(seed) };
  const request = decodeRequest(receipt.request, defaults);
  const committed = checkReceipt(receipt, {
    plan: planFor(scheduler, request).plan,
    // Decoded and encoded again nothing may differ: a default that was left open would be added.
    request: encodeRequest(request),
    manifest: facts.manifest,
    now: now + MAX_CLOCK_SKEW_MS,
  });
  if (receipt.model.precision !== facts.precision) refuse("precision", facts.precision);
  if (receipt.latent[0] !== channels) refuse("number of channels", String(channels));
  return { committed, request };
}

function refuse(what: string, expected: string): never {
  throw new AppError(
    "receipt_mismatch",
    `Cannot accept the receipt: its ${what} is not ${expected}, as the model has it`,
  );
}
