import type { Plan, PlanRow } from "../schedule/mod.ts";

/**
 * A plan as receipts of version 1 hash it: each weight has a name of its own, those that a row does
 * not have are 0, and `states` and `history` count how far back the row reads.
 */
export function planV1({ rows, ...plan }: Plan): object {
  return { ...plan, rows: rows.map(rowV1) };
}

function rowV1({ states, denoised, ...row }: PlanRow): object {
  const [keep, x1 = 0, x2 = 0, x3 = 0] = states;
  const [d0, d1 = 0, d2 = 0, d3 = 0] = denoised;
  return {
    ...row,
    ...{ keep, x1, x2, x3, d0, d1, d2, d3 },
    ...{ states: states.length, history: denoised.length },
  };
}
