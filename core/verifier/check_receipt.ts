import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import type { Plan } from "../schedule/mod.ts";
import { canonicalJson, checkSignature, planHash, type Receipt } from "../transcript/mod.ts";

/** Only {@link checkReceipt} makes one, so that nothing is scored that was not signed. */
const checked = Symbol("checked");

export interface CheckedReceipt {
  readonly receipt: Receipt;
  readonly plan: Plan;
  readonly [checked]: true;
}

/** What the checker knows by himself. */
export interface ReceiptExpectation extends StatementExpectation {
  /** Made by the checker from the receipt's request and the model's own scheduler config. */
  readonly plan: Plan;
}

/** What a checker without the model knows. */
export interface StatementExpectation {
  /** What was asked for, as `encodeRequest` writes it, if the checker asked. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** SS58. */
  readonly miner?: string;
  /** SS58. */
  readonly validator?: string;
  /** `manifestHash` of the files that the model should have. */
  readonly manifest?: string;
  /** Milliseconds since 1970: a receipt that was finished after it is refused. */
  readonly now?: number;
}

/**
 * Level 0 for a receipt: signature, request, plan, model and parties.
 * @throws AppError `signature_invalid`, or `receipt_mismatch` naming what is not as expected.
 */
export function checkReceipt(receipt: Receipt, expected: ReceiptExpectation): CheckedReceipt {
  checkStatement(receipt, expected);
  const { plan } = expected;
  const known = planHash(plan, receipt.version);
  if (receipt.plan !== known || receipt.steps !== plan.rows.length) refuse("its plan");
  return { receipt, plan, [checked]: true };
}

/**
 * Signature, request and parties of a receipt: no model is needed for them.
 * @throws AppError `signature_invalid`, or `receipt_mismatch` naming what is not as expected.
 */
export function checkStatement(receipt: Receipt, expected: StatementExpectation): void {
  checkSignature(receipt);
  const { request, miner, validator, manifest, now } = expected;
  const facts: Readonly<Record<string, boolean>> = {
    request: !request || canonicalJson(request) === canonicalJson(receipt.request),
    miner: miner === undefined || miner === receipt.miner,
    validator: validator === undefined || validator === receipt.validator,
    manifest: manifest === undefined || manifest === receipt.model.manifest,
    "time of its end": now === undefined || receipt.times.finished <= now,
  };
  for (const [name, holds] of Object.entries(facts)) if (!holds) refuse(`its ${name}`);
}

/**
 * Level 0 for the image.
 * @param image the encoded file's bytes.
 * @throws AppError `receipt_mismatch` when the receipt is of another file.
 */
export function checkImage(
  { receipt }: Pick<CheckedReceipt, "receipt">,
  image: Uint8Array,
): void {
  const same = image.length === receipt.image.bytes &&
    bytesToHex(sha256(image)) === receipt.image.sha256;
  if (!same) refuse("its image");
}

function refuse(what: string): never {
  throw new AppError(
    "receipt_mismatch",
    `Cannot accept the receipt: ${what} is not the expected one`,
  );
}
