import { type Cheat, networkOf, runWith, type States } from "./lab.ts";

/** Cheats that lie in what is committed or opened: they need no model to be seen. */
export const evidenceCheats: readonly Cheat[] = [
  {
    name: "wrong seed",
    saves:
      "all network calls, where an image of another seed was made before: an honest run, but not this",
    run: async (lab) => {
      const seed = lab.request.seed + 1n;
      const states = await runWith(lab, lab.plan, seed, networkOf(lab));
      return { ...states, cheated: new Set(lab.plan.rows.keys()), price: 0 };
    },
  },
  {
    name: "another scheduler",
    saves: "nothing here; a miner may run the one that they have: ddim for what was asked",
    run: async (lab) => {
      const plan = lab.planOf({ ...lab.request, scheduler: "ddim" });
      const predict = networkOf(lab, { ...lab.request, scheduler: "ddim" });
      const states = await runWith(lab, plan, lab.request.seed, predict);
      return { ...states, cheated: new Set(lab.plan.rows.keys()) };
    },
  },
  {
    name: "regenerated only when asked",
    saves:
      "all network calls of what is not drawn: made-up leaves are committed, honest ones opened",
    run: async (lab) => {
      const states = await runWith(lab, lab.plan, lab.request.seed, networkOf(lab));
      const cheated = new Set(lab.plan.rows.keys());
      return { ...states, cheated, price: 0, commits: madeUp(states) };
    },
  },
  {
    name: "openings withheld",
    saves: "half the network calls, and no opening of a step without one",
    run: async (lab) => {
      const cheated = new Set([...lab.plan.rows.keys()].filter((i) => i % 2 === 1));
      const network = networkOf(lab);
      const states = await runWith(
        lab,
        lab.plan,
        lab.request.seed,
        (moment) =>
          cheated.has(moment.index) ? Promise.resolve(moment.denoised[0]) : network(moment),
      );
      return { ...states, cheated, withholds: cheated };
    },
  },
];

/** Leaves of the right sizes that cost nothing. */
function madeUp({ x, d }: States): States {
  const nothing = (bits: Uint16Array) => bits.map(() => 0);
  return { x: x.map(nothing), d: d.map(nothing) };
}
