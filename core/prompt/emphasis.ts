import { AppError } from "../error.ts";
import type { TextEmbedding } from "../inference/mod.ts";

/** One for each token of a chunk. */
type Weights = readonly number[];

/**
 * As A1111's emphasis "Original": states times weights, and then the mean of all of them as it was.
 * What is pooled stays.
 * @throws AppError `invalid_request` for weights that leave no mean.
 */
export function multiplied(embedding: TextEmbedding, weights: Weights): TextEmbedding {
  if (weights.every((weight) => weight === 1)) return embedding;
  const { hidden } = embedding;
  const weight = byElement(embedding, weights);
  const states = hidden.map((value, i) => weight(i) * value);
  const restored = mean(hidden) / mean(states);
  if (!Number.isFinite(restored)) {
    throw new AppError(
      "invalid_request",
      "Cannot generate: the prompt's weights leave nothing of it",
      {
        field: "prompt",
      },
    );
  }
  return { ...embedding, hidden: states.map((value) => restored * value) };
}

/** As compel: states go on, or less far, from those of a chunk without words. */
export function movedFrom(
  unsaid: TextEmbedding,
  embedding: TextEmbedding,
  weights: Weights,
): TextEmbedding {
  const from = unsaid.hidden;
  const weight = byElement(embedding, weights);
  const hidden = embedding.hidden.map((value, i) =>
    weight(i) === 1 ? value : from[i] + weight(i) * (value - from[i])
  );
  return { ...embedding, hidden };
}

/** A chunk in which a fragment is not seen, and how much that fragment counts, below 1. */
export interface Without {
  readonly embedding: TextEmbedding;
  readonly weight: number;
}

/** Of the share that is left out; tan is infinite at 1. */
const LEAST_WEIGHT = 1e-5;

/** As compel: the mean of a chunk and of it without each fragment that counts less. */
export function faded(whole: TextEmbedding, without: readonly Without[]): TextEmbedding {
  if (without.length === 0) return whole;
  const shares = without.map(({ weight }) =>
    Math.tan((1 - Math.max(weight, LEAST_WEIGHT)) * Math.PI / 2)
  );
  const all = shares.reduce((sum, share) => sum + share, 1);
  const hidden = whole.hidden.map((value, i) =>
    without.reduce((sum, { embedding }, k) => sum + shares[k] * embedding.hidden[i], value) / all
  );
  return { ...whole, hidden };
}

/** The weight of the token that an element belongs to. */
function byElement({ hidden, tokens }: TextEmbedding, weights: Weights): (i: number) => number {
  const width = hidden.length / tokens;
  return (i) => weights[Math.floor(i / width)];
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
