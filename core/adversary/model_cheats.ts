import { type Alteration, type Cheat, networkOf, runWith } from "./lab.ts";

/** Every step by a network with other weights than those that the receipt names. */
function otherWeights(name: string, saves: string, alteration: Alteration, price: number): Cheat {
  return {
    name,
    saves,
    run: async (lab) => {
      const engine = await lab.alteredEngine(alteration);
      const predict = networkOf({ engine, request: lab.request });
      const states = await runWith(lab, lab.plan, lab.request.seed, predict);
      const cheated = new Set(lab.plan.rows.keys());
      return { ...states, cheated, price };
    },
  };
}

export const modelCheats: readonly Cheat[] = [
  otherWeights(
    "int8 weights",
    "memory, and up to half the time where a device has int8 arithmetic (counted so)",
    "int8",
    0.5,
  ),
  otherWeights(
    "int4 weights",
    "memory, and up to three quarters of the time where a device has it (counted so)",
    "int4",
    0.25,
  ),
  otherWeights(
    "another model",
    "what a smaller or distilled model saves: weights 5 % off, counted as half the time",
    "other",
    0.5,
  ),
];

/**
 * Weights in float16 where float32 is claimed. Not in the zoo: on its own it is within what honest
 * machines differ by at some steps, and saves memory alone.
 */
export const float16Weights = otherWeights(
  "float16 weights, claimed float32",
  "memory; no time, as long as the arithmetic stays float32",
  "float16",
  1,
);
