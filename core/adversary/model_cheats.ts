import { type Alteration, type Cheat, networkOf, runReplacing, runWith } from "./lab.ts";

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

/** At so many steps of each two with other weights, at the others with the right ones. */
function otherWeightsAt(
  name: string,
  saves: string,
  alteration: Alteration,
  isAltered: (index: number) => boolean,
): Cheat {
  return {
    name,
    saves,
    run: async (lab) => {
      const engine = await lab.alteredEngine(alteration);
      const places = [...lab.plan.rows.keys()].filter(isAltered);
      return await runReplacing(lab, places, networkOf({ engine, request: lab.request }));
    },
  };
}

/**
 * Less precise than what is claimed, by little. Not in the zoo: single steps are mostly within what honest
 * machines differ by. Many checks together show them; see `driftOf`.
 */
export const imprecise: readonly Cheat[] = [
  otherWeights(
    "float16 weights, claimed float32",
    "memory; no time, as long as the arithmetic stays float32",
    "float16",
    1,
  ),
  otherWeights(
    "TF32 weights, claimed float32",
    "stands for tensor cores, which round activations too: up to half the time",
    "tf32",
    1,
  ),
  otherWeightsAt(
    "TF32 weights at every second step",
    "half of what TF32 saves",
    "tf32",
    (index) => index % 2 === 1,
  ),
  otherWeights(
    "int8 weights in the middle block",
    "memory; time where a device has int8 arithmetic",
    "int8 middle",
    1,
  ),
];
