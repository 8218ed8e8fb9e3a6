import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { issueSentence } from "../../core/json_decoding.ts";
import { decodeSs58, isSs58, type Signer, verifySr25519 } from "../../core/keys/mod.ts";
import { type Receipt, receiptFromJson, receiptId } from "../../core/transcript/mod.ts";
import { checkImage, checkNew, checkStatement } from "../../core/verifier/mod.ts";
import { signerOf } from "../virality/mod.ts";

/** Letters of a caption. */
const MAX_CAPTION = 500;
/** Of an image as base64: twice 2048x2048 pixels as RGBA. */
const MAX_IMAGE_LETTERS = 45_000_000;

const userSchema = z.strictObject({
  receipt: z.unknown(),
  /** The encoded file, in base64. */
  image: z.string().min(1).max(MAX_IMAGE_LETTERS),
  // A batch's JSON is UTF-8, which half of a surrogate pair has no bytes in.
  caption: z.string().max(MAX_CAPTION)
    .refine((text) => text.isWellFormed(), "not well-formed Unicode"),
  /** By which the miner opens steps, where they are checked. */
  token: z.string().max(200).optional(),
});

const submissionSchema = userSchema.extend({
  /** SS58, of a hotkey or a coldkey. */
  creator: z.string().max(64).refine(isSs58, "not an SS58 address"),
  /** By the creator over {@link submissionMessage}, in lower-case hex. */
  signature: z.string().regex(/^[0-9a-f]{128}$/, "not 64 bytes in lower-case hex"),
});

/** A picture that somebody wants to publish, and what proves it: level 0 of the checks holds. */
export interface Submission {
  /** `receiptId`. */
  readonly id: string;
  readonly receipt: Receipt;
  readonly image: Uint8Array<ArrayBuffer>;
  readonly caption: string;
  /** SS58; or that of an operator, a slash, and the user of whom it vouches. */
  readonly creator: string;
  readonly signature: string;
}

/** A submission, and by what its miner opens steps. */
interface Submitted {
  readonly submission: Submission;
  readonly token: string | undefined;
}

/** Who vouches for users of applications, who have no key of their own. */
export interface Voucher {
  readonly address: string;
  readonly sign: Signer;
  /** Letters and digits. */
  readonly user: string;
}

/**
 * What a creator signs: whose picture, which file, under which words.
 * @param user of whom an operator vouches.
 */
export function submissionMessage(
  { id, sha256, caption, user }: {
    readonly id: string;
    readonly sha256: string;
    readonly caption: string;
    readonly user?: string;
  },
): Uint8Array<ArrayBuffer> {
  const head = user === undefined ? "stepwise content 1" : `stepwise content 1 of ${user}`;
  return new TextEncoder().encode(`${head}\n${id}\n${sha256}\n${caption}`);
}

/**
 * @param json the body of `POST /v1/content`.
 * @param now milliseconds since 1970.
 * @throws AppError `invalid_request` naming the field, `receipt_invalid`, `signature_invalid` of the
 * miner or the creator, `receipt_mismatch` for another file, `image_not_canonical`.
 */
export function decodeSubmission(json: unknown, now: number): Submitted {
  const { token, ...given } = decodedBy(submissionSchema, json);
  const [receipt, image] = [newReceipt(given.receipt), bytesOf(given.image)];
  return { submission: checkSubmission({ ...given, receipt, image }, now), token };
}

/**
 * Of a user, for whom an operator signs.
 * @param json the body, without creator and signature. @throws AppError as {@link decodeSubmission}.
 */
export async function decodeUserSubmission(
  json: unknown,
  { address, sign, user }: Voucher,
  now: number,
): Promise<Submitted> {
  const { token, ...given } = decodedBy(userSchema, json);
  const [receipt, image] = [newReceipt(given.receipt), bytesOf(given.image)];
  const { sha256 } = receipt.image;
  const message = submissionMessage({
    ...{ id: receiptId(receipt), sha256, caption: given.caption, user },
  });
  const signature = bytesToHex(await sign(message));
  const creator = `${address}/${user}`;
  const whole = { ...given, receipt, image, creator, signature };
  return { submission: checkSubmission(whole, now), token };
}

function newReceipt(json: unknown): Receipt {
  const receipt = receiptFromJson(json);
  checkNew({ receipt });
  return receipt;
}

function decodedBy<T>(schema: z.ZodType<T>, json: unknown): T {
  const decoded = schema.safeParse(json);
  if (decoded.success) return decoded.data;
  const why = issueSentence(decoded.error.issues[0], json);
  throw new AppError("invalid_request", `Cannot publish: ${why}`, { cause: decoded.error });
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new AppError("invalid_request", "Cannot publish: image is not base64", { cause });
  }
}

/** The checks of level 0, and the creator's signature. */
export function checkSubmission(given: Omit<Submission, "id">, now: number): Submission {
  const statement = checkStatement(given.receipt, { now });
  const { sha256 } = checkImage(statement, given.image);
  const { id } = statement;
  const [, user] = given.creator.split("/");
  const message = submissionMessage({ id, sha256, caption: given.caption, user });
  const key = decodeSs58(signerOf(given.creator));
  if (!verifySr25519(message, hexToBytes(given.signature), key)) {
    throw new AppError(
      "signature_invalid",
      `Cannot publish: the signature is not that of ${given.creator} over this picture and caption`,
    );
  }
  return { id: receiptId(given.receipt), ...given };
}
