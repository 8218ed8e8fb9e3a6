import { hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { issueSentence } from "../../core/json_decoding.ts";
import { decodeSs58, isSs58, verifySr25519 } from "../../core/keys/mod.ts";
import { type Receipt, receiptFromJson, receiptId } from "../../core/transcript/mod.ts";
import { checkImage, checkNew, checkStatement } from "../../core/verifier/mod.ts";

/** Letters of a caption. */
const MAX_CAPTION = 500;
/** Of an image as base64: twice 2048x2048 pixels as RGBA. */
const MAX_IMAGE_LETTERS = 45_000_000;

const submissionSchema = z.strictObject({
  receipt: z.unknown(),
  /** The encoded file, in base64. */
  image: z.string().min(1).max(MAX_IMAGE_LETTERS),
  // A batch's JSON is UTF-8, which half of a surrogate pair has no bytes in.
  caption: z.string().max(MAX_CAPTION)
    .refine((text) => text.isWellFormed(), "not well-formed Unicode"),
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
  readonly creator: string;
  readonly signature: string;
}

/** What a creator signs: whose picture, which file, under which words. */
export function submissionMessage(
  { id, sha256, caption }: {
    readonly id: string;
    readonly sha256: string;
    readonly caption: string;
  },
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`stepwise content 1\n${id}\n${sha256}\n${caption}`);
}

/**
 * @param json the body of `POST /v1/content`.
 * @param now milliseconds since 1970.
 * @throws AppError `invalid_request` naming the field, `receipt_invalid`, `signature_invalid` of the
 * miner or the creator, `receipt_mismatch` for another file, `image_not_canonical`.
 */
export function decodeSubmission(json: unknown, now: number): Submission {
  const decoded = submissionSchema.safeParse(json);
  if (!decoded.success) {
    const why = issueSentence(decoded.error.issues[0], json);
    throw new AppError("invalid_request", `Cannot publish: ${why}`, { cause: decoded.error });
  }
  const { caption, creator, signature } = decoded.data;
  const image = bytesOf(decoded.data.image);
  const receipt = receiptFromJson(decoded.data.receipt);
  checkNew({ receipt });
  return checkSubmission({
    receipt,
    image,
    caption,
    creator,
    signature,
  }, now);
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
  const message = submissionMessage({ id, sha256, caption: given.caption });
  if (!verifySr25519(message, hexToBytes(given.signature), decodeSs58(given.creator))) {
    throw new AppError(
      "signature_invalid",
      `Cannot publish: the signature is not that of ${given.creator} over this picture and caption`,
    );
  }
  return { id: receiptId(given.receipt), ...given };
}
