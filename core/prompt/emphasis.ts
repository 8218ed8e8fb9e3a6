import type { TextEmbedding } from "../inference/mod.ts";

interface Emphasis {
  /** A chunk without words, for compel. */
  readonly unsaid: TextEmbedding | undefined;
}

/**
 * One chunk with its tokens weighted, as the program does whose way of writing it is: A1111 multiplies
 * states and keeps their mean, compel goes on from the states of no words.
 * @param weights one a token.
 */
export function weighted(
  embedding: TextEmbedding,
  weights: readonly number[],
  { unsaid }: Emphasis,
): TextEmbedding {
  if (weights.every((weight) => weight === 1)) return embedding;
  const { hidden, tokens } = embedding;
  const width = hidden.length / tokens;
  if (unsaid) {
    const from = unsaid.hidden;
    const states = hidden.map((value, i) =>
      from[i] + weights[Math.floor(i / width)] * (value - from[i])
    );
    return { ...embedding, hidden: states };
  }
  const states = hidden.map((value, i) => weights[Math.floor(i / width)] * value);
  const restored = mean(hidden) / mean(states);
  return { ...embedding, hidden: states.map((value) => restored * value) };
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
