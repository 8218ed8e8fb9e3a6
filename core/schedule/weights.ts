import type { Marginal, StepWeights } from "./plan.ts";

/** Weights by age, [current, one step ago, ...], of states or predictions. Missing ones are 0. */
export type Weights = readonly number[];

export function scaled(weights: Weights, factor: number): Weights {
  return weights.map((weight) => weight * factor);
}

export function sum(terms: readonly Weights[]): Weights {
  const length = Math.max(...terms.map((term) => term.length));
  return Array.from(
    { length },
    (_, age) => terms.reduce((total, term) => total + (term[age] ?? 0), 0),
  );
}

export function difference(a: Weights, b: Weights): Weights {
  return sum([a, scaled(b, -1)]);
}

/**
 * Weights of predicted noise as weights of states and denoised predictions: of each step,
 * eps = (x - alpha * D) / sigma.
 * @param i The current step: the noise of age k belongs to nodes[i - k].
 */
export function combineNoise(
  states: Weights,
  noise: Weights,
  nodes: readonly Marginal[],
  i: number,
): StepWeights {
  const of = (age: number) => nodes[i - age];
  return {
    states: sum([states, noise.map((weight, age) => weight === 0 ? 0 : weight / of(age).sigma)]),
    denoised: noise.map((weight, age) =>
      weight === 0 ? 0 : -weight * of(age).alpha / of(age).sigma
    ),
  };
}
