import { AppError } from "../error.ts";
import { checkCanonical, imageFormatOfType, withoutMetadata } from "../image/mod.ts";
import type { Plan } from "../schedule/mod.ts";
import {
  canonicalJson,
  checkSignature,
  fileHash,
  planHash,
  type Receipt,
  RECEIPT_VERSION,
  receiptId,
} from "../transcript/mod.ts";

const signed = Symbol("signed");
const checked = Symbol("checked");
const hashed = Symbol("hashed");

/** A receipt that its miner signed. Only {@link checkStatement} makes one. */
export interface CheckedStatement {
  readonly receipt: Receipt;
  /** `receiptId`. */
  readonly id: string;
  readonly [signed]: true;
}

/** Signed, and by the right plan. Only {@link checkReceipt} makes one. */
export interface CheckedReceipt extends CheckedStatement {
  readonly plan: Plan;
  readonly [checked]: true;
}

/** A file that is the one of a receipt. Only {@link checkImage} makes one. */
export interface CheckedImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly [hashed]: true;
}

/** What checkers know by themselves. */
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
 * @param given its signature is verified, unless it was before.
 * @throws AppError `signature_invalid`, or `receipt_mismatch` naming what is not as expected.
 */
export function checkReceipt(
  given: Receipt | CheckedStatement,
  expected: ReceiptExpectation,
): CheckedReceipt {
  const statement = checkStatement(given, expected);
  const { receipt } = statement;
  const { plan } = expected;
  const known = planHash(plan, receipt.version);
  if (receipt.plan !== known || receipt.steps !== plan.rows.length) refuse("its plan");
  return { ...statement, plan, [checked]: true };
}

/**
 * Signature, request and parties of a receipt: no model is needed for them.
 * @param given its signature is verified, unless it was before.
 * @throws AppError `signature_invalid`, or `receipt_mismatch` naming what is not as expected.
 */
export function checkStatement(
  given: Receipt | CheckedStatement,
  expected: StatementExpectation,
): CheckedStatement {
  const statement = signed in given ? given : signedStatement(given);
  compare(statement.receipt, expected);
  return statement;
}

function signedStatement(receipt: Receipt): CheckedStatement {
  checkSignature(receipt);
  return { receipt, id: receiptId(receipt), [signed]: true };
}

function compare(receipt: Receipt, expected: StatementExpectation): void {
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

/** Fields that receipts of before may lack, and what checks need them for. */
const NEEDED = {
  sketch: "which says what steps to draw",
  backend: "which says what honest errors are like",
} as const;

/**
 * That a receipt which is new states all that new ones do: else a miner would choose the weaker checks of
 * older ones. Not for receipts that were kept.
 * @throws AppError `receipt_mismatch` naming what it lacks.
 */
export function checkNew({ receipt }: Pick<CheckedStatement, "receipt">): void {
  if (receipt.version !== RECEIPT_VERSION) {
    throw older(`it is of version ${receipt.version}, not ${RECEIPT_VERSION}`);
  }
  for (const [field, why] of Object.entries(NEEDED)) {
    if (!(field in receipt)) throw older(`it has no ${field}, ${why}`);
  }
}

function older(why: string): AppError {
  return new AppError(
    "receipt_mismatch",
    `Cannot accept a new receipt: ${why}; its miner has to update Stepwise`,
  );
}

/**
 * Level 0 for the image: the committed file, and one that shows the same everywhere.
 * @param given the encoded file's bytes; they are hashed, unless they were before.
 * @throws AppError `receipt_mismatch` when the receipt is of another file, `image_not_canonical` when
 * it is of one that holds more than an image.
 */
export function checkImage(
  { receipt: { image, request } }: Pick<CheckedReceipt, "receipt">,
  given: Uint8Array<ArrayBuffer> | CheckedImage,
): CheckedImage {
  const bytes = hashed in given ? given.bytes : given;
  if (bytes.length !== image.bytes) refuse("its image");
  const sha256 = hashed in given ? given.sha256 : fileHash(bytes);
  if (sha256 !== image.sha256) refuse("its image");
  checkCanonical(bytes, imageFormatOfType(image.mediaType), request);
  return { bytes, sha256, [hashed]: true };
}

/**
 * The file that a receipt commits to, of one that somebody has: servers write beside the picture where it
 * came from. A file that is neither is given back as it is.
 */
export function committedFile(
  { image }: Pick<Receipt, "image">,
  file: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (file.length === image.bytes && fileHash(file) === image.sha256) return file;
  const picture = withoutMetadata(file, imageFormatOfType(image.mediaType));
  return fileHash(picture) === image.sha256 ? picture : file;
}

function refuse(what: string): never {
  throw new AppError(
    "receipt_mismatch",
    `Cannot accept the receipt: ${what} is not the expected one`,
  );
}
