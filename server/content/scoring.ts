import {
  detailRichness,
  type Fingerprint,
  fingerprintOf,
  noveltyOf,
  type RelevanceEncoder,
  type Score,
} from "../../core/content/mod.ts";
import { decodeImage, imageFormatOfType } from "../../core/image/mod.ts";
import type { Submission } from "./submission.ts";

/** What a piece is worth, each with its uncertainty. */
export interface Scores {
  readonly detail: Score;
  readonly novelty: Score;
  /** Left out where no encoder is for the model that made it. */
  readonly relevance?: Score;
}

export interface Scored {
  readonly scores: Scores;
  readonly fingerprint: Fingerprint;
  /** Place among the published ones of the picture that it is a copy of. */
  readonly copyOf: number | undefined;
}

/** @param encoder for pictures of the model that it was trained for. */
export async function scoreSubmission(
  { receipt, image }: Pick<Submission, "receipt" | "image">,
  published: readonly Fingerprint[],
  encoder: Pick<RelevanceEncoder, "score"> | undefined,
): Promise<Scored> {
  const format = imageFormatOfType(receipt.image.mediaType);
  const picture = await decodeImage(image, format, receipt.request);
  const fingerprint = fingerprintOf(picture);
  const { value, uncertainty, duplicate, nearest } = noveltyOf(fingerprint, published);
  const prompt = String(receipt.request.prompt ?? "");
  const relevance = encoder && await encoder.score(picture, prompt);
  return {
    scores: {
      detail: detailRichness(picture),
      novelty: { value, uncertainty },
      ...relevance === undefined ? {} : { relevance },
    },
    fingerprint,
    copyOf: duplicate ? nearest : undefined,
  };
}
