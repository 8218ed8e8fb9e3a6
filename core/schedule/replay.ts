import { AppError } from "../error.ts";
import type { Plan, PlanRow } from "./plan.ts";

/**
 * The network's output at step i.
 * @param modelInput f32[n], already scaled by the row's `inScale`.
 */
export type StepModel = (i: number, modelInput: Float32Array, timestep: number) => Float32Array;

/**
 * The whole denoising loop on the CPU, states and predictions kept in single precision: the
 * reference that the step kernel is held against.
 * @param initialSample f32[n], x_0: noise already scaled by the plan's `initialScale`.
 * @param noise f32[n] of step i, unit Gaussian; asked for only where a row uses it.
 * @returns x_1..x_N, f32[n] each.
 * @throws AppError `shape_mismatch` when an output or a noise has another length than the state.
 */
export function replay(
  plan: Plan,
  initialSample: Float32Array,
  model: StepModel,
  noise: (i: number) => Float32Array,
): Float32Array[] {
  const states = [initialSample];
  const denoised: Float32Array[] = [];
  for (const [i, row] of plan.rows.entries()) {
    const x = states[i];
    const out = model(i, x.map((value) => row.inScale * value), row.timestep);
    denoised.push(combine(x.length, [[row.fromX, x], [row.fromOut, out]]));
    states.push(nextState(row, i, states, denoised, noise));
  }
  return states.slice(1);
}

function nextState(
  row: PlanRow,
  i: number,
  states: readonly Float32Array[],
  denoised: readonly Float32Array[],
  noise: (i: number) => Float32Array,
): Float32Array {
  const terms: Term[] = [
    ...[row.keep, row.x1, row.x2, row.x3].slice(0, row.states)
      .map((weight, age): Term => [weight, states[i - age]]),
    ...[row.d0, row.d1, row.d2, row.d3].slice(0, row.history)
      .map((weight, age): Term => [weight, denoised[i - age]]),
  ];
  if (row.noise !== 0) terms.push([row.noise, noise(i)]);
  return combine(states[i].length, terms);
}

type Term = readonly [weight: number, values: Float32Array];

/** The weighted sum, accumulated in f64 and rounded once. */
function combine(length: number, terms: readonly Term[]): Float32Array {
  const used = terms.filter(([weight]) => weight !== 0);
  for (const [, values] of used) {
    if (values.length !== length) {
      throw new AppError(
        "shape_mismatch",
        `Cannot replay the plan: lengths are ${length} and ${values.length}`,
      );
    }
  }
  return Float32Array.from(
    { length },
    (_, j) => used.reduce((sum, [weight, values]) => sum + weight * values[j], 0),
  );
}
