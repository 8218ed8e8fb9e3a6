import {
  type ImageCodec,
  inputFormat,
  perceptualHash,
  withoutMetadata,
} from "../../core/image/mod.ts";
import { type Score, TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { fileHash, MAX_CLOCK_SKEW_MS, receiptFromJson } from "../../core/transcript/mod.ts";
import { checkStatement } from "../../core/verifier/mod.ts";
import type { VerifiedImage } from "../gateway/mod.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { Scorer } from "./scorer.ts";

interface VerifyParts {
  readonly ledger: Pick<Ledger, "images">;
  readonly scorer: Scorer;
  /** Decodes what agents send: elsewhere, for it takes long. */
  readonly codec: Pick<ImageCodec, "decodeInput">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A receipt that was found for an image. */
interface Found {
  readonly entry: Readonly<Record<string, unknown>>;
  readonly match: NonNullable<VerifiedImage["match"]>;
}

const UNKNOWN: VerifiedImage = {
  verdict: "unknown",
  summary: "This validator knows no receipt of this image, nor of one that looks the same.",
};

/**
 * Says of an image where it came from: its receipt is found, its signature checked, and some of its steps
 * where their miner still has them.
 */
export function imageVerifier(
  parts: VerifyParts,
): (file: Uint8Array<ArrayBuffer>) => Promise<VerifiedImage> {
  return async (file) => {
    const found = await foundFor(file, parts);
    return found ? await verified(found, parts) : UNKNOWN;
  };
}

async function foundFor(
  file: Uint8Array<ArrayBuffer>,
  { ledger: { images }, codec }: Pick<VerifyParts, "ledger" | "codec">,
): Promise<Found | undefined> {
  const format = inputFormat(file);
  const own = images.ofFile(fileHash(format ? withoutMetadata(file, format) : file)).at(0);
  if (own !== undefined) return { entry: Object(own), match: "file" };
  const like = images.alike(perceptualHash(await codec.decodeInput(file, "image"))).at(0);
  return like === undefined ? undefined : { entry: Object(like), match: "looks" };
}

async function verified(
  { entry, match }: Found,
  { scorer, now }: VerifyParts,
): Promise<VerifiedImage> {
  const receipt = receiptFromJson(entry.receipt);
  checkStatement(receipt, { now: now() + MAX_CLOCK_SKEW_MS });
  const isOpen = now() - receipt.times.finished < 1000 * TRANSCRIPT_SECONDS;
  const call = { receipt, url: String(entry.miner), token: String(entry.token) };
  // A miner that is gone proves nothing.
  const score = isOpen ? await scorer(call).catch(() => undefined) : undefined;
  const verdict = verdictOf(score);
  const unbound = receipt.request.parent === undefined
    ? ""
    : " That it goes on from the image that it names was not compared.";
  return {
    ...{ verdict, match, receipt: String(entry.id) },
    summary: `${SOURCES[match]} ${VERDICTS[verdict]}${unbound}`,
    ...{ prompt: String(receipt.request.prompt ?? ""), model: receipt.model.id },
    ...{ miner: receipt.miner, made: new Date(receipt.times.finished).toISOString() },
  };
}

function verdictOf(score: Score | undefined): Exclude<VerifiedImage["verdict"], "unknown"> {
  return score === undefined || score.verdict === "withheld" ? "unchecked" : score.verdict;
}

const SOURCES = {
  file: "This very file was made by the model and prompt that its receipt names.",
  looks: "It looks like an image of this receipt, saved anew or scaled.",
} as const;

const VERDICTS = {
  honest: "The receipt's signature holds, and steps that were made again now came out the same.",
  suspect: "Steps that were made again now came out otherwise than a machine's rounding explains.",
  invalid: "What its miner shows of it does not fit what it signed.",
  unchecked: "The receipt's signature holds; its steps are no longer kept, so none was made again.",
} as const;
