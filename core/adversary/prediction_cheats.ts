import { fromHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import type { PlanRow } from "../schedule/mod.ts";
import {
  type Cheat,
  type Lab,
  type Moment,
  networkOf,
  type Predictor,
  runReplacing,
  runWith,
} from "./lab.ts";

/** Noise that no seed of a request gives. */
const OWN_SEED = 0xc0ffeen;
const OTHER_PROMPT = "a red ring on a white background";

/** Steps without a network call, by rule, and what stands in for D_i there. */
function skipping(
  name: string,
  saves: string,
  skips: (index: number, steps: number) => boolean,
  guess: Predictor,
): Cheat {
  return {
    name,
    saves,
    run: async (lab) => {
      const steps = lab.plan.rows.length;
      const skipped = [...lab.plan.rows.keys()].filter((i) => skips(i, steps));
      return await runReplacing(lab, skipped, guess);
    },
  };
}

export const reuse: Predictor = ({ denoised }) => Promise.resolve(denoised[0]);

/** 2 D_{i-1} - D_{i-2}: where the last two predictions point to. */
export const extrapolate: Predictor = ({ denoised: [last, before = last] }) =>
  Promise.resolve(last.map((value, j) => 2 * value - before[j]));

/** As if the network had said that the noise is some Gaussian noise: (x - sigma z) / alpha. */
const inventNoise: Predictor = ({ index, row, bits }) => {
  const noise = gaussianNoise(OWN_SEED, index, bits.length);
  const { alpha, sigma } = row;
  return Promise.resolve(
    fromHalf(bits).map((x, j) => (x - sigma * noise[j]) / Math.max(alpha, 1e-3)),
  );
};

/** Three steps spread over the run. */
function threeOf(index: number, steps: number): boolean {
  return [1 / 4, 1 / 2, 3 / 4].some((share) => Math.round(share * steps) === index);
}

/** A third of the steps as a run of its own; the steps between have D interpolated in time. */
const interpolated: Cheat = {
  name: "a third of the steps, interpolated",
  saves: "two of three network calls: a short run is made, and its predictions drawn out",
  run: async (lab) => {
    const steps = lab.plan.rows.length;
    const short = Math.max(2, Math.round(steps / 3));
    const request = { ...lab.request, steps: short };
    const plan = lab.planOf(request);
    const { d } = await runWith(lab, plan, request.seed, networkOf(lab, request));
    const known = d.map((bits, i) => ({ at: depth(plan.rows[i]), values: fromHalf(bits) }));
    const states = await runWith(
      lab,
      lab.plan,
      lab.request.seed,
      ({ row }) => Promise.resolve(between(known, depth(row))),
    );
    // Both runs begin with the same step.
    return { ...states, cheated: new Set([...lab.plan.rows.keys()].slice(1)) };
  },
};

/** log(sigma / alpha): falls from step to step. */
export function depth({ alpha, sigma }: PlanRow): number {
  return Math.log(Math.max(sigma, 1e-6) / Math.max(alpha, 1e-6));
}

function between(
  known: readonly { readonly at: number; readonly values: Float32Array }[],
  at: number,
): Float32Array {
  const after = known.findIndex((each) => each.at <= at);
  if (after <= 0) return known[after < 0 ? known.length - 1 : 0].values;
  const [a, b] = [known[after - 1], known[after]];
  const share = (a.at - at) / (a.at - b.at);
  return a.values.map((value, j) => value + share * (b.values[j] - value));
}

function everyStep({ plan }: Pick<Lab, "plan">): Set<number> {
  return new Set(plan.rows.keys());
}

/** D_i from what the miner keeps, at each step. */
function fromCache(
  name: string,
  saves: string,
  prediction: (lab: Lab, moment: Moment) => Float32Array,
): Cheat {
  return {
    name,
    saves,
    run: async (lab) => {
      const states = await runWith(
        lab,
        lab.plan,
        lab.request.seed,
        (moment) => Promise.resolve(prediction(lab, moment)),
      );
      return { ...states, cheated: everyStep(lab) };
    },
  };
}

/** The whole run with another request than the one it claims. */
function otherRequest(
  name: string,
  saves: string,
  change: (request: Lab["request"]) => Partial<Lab["request"]>,
  price?: number,
): Cheat {
  return {
    name,
    saves,
    run: async (lab) => {
      const predict = networkOf(lab, { ...lab.request, ...change(lab.request) });
      const states = await runWith(lab, lab.plan, lab.request.seed, predict);
      return { ...states, cheated: everyStep(lab), price };
    },
  };
}

export const predictionCheats: readonly Cheat[] = [
  skipping(
    "every second call reused",
    "half the network calls: each prediction serves two steps",
    (i) => i % 2 === 1,
    reuse,
  ),
  skipping(
    "every third call reused",
    "a third of the network calls",
    (i) => i % 3 === 2,
    reuse,
  ),
  skipping(
    "three calls reused",
    "three network calls, hoping that they are not drawn",
    threeOf,
    reuse,
  ),
  skipping(
    "every second call extrapolated",
    "half the network calls: the last two predictions are drawn on",
    (i) => i % 2 === 1 && i > 1,
    extrapolate,
  ),
  skipping(
    "noise only",
    "three network calls: at those steps the predicted noise is invented",
    threeOf,
    inventNoise,
  ),
  interpolated,
  fromCache(
    "forged around a cached image",
    "all network calls: every prediction is an image that was made before",
    ({ cached }) => fromHalf(cached.x[cached.x.length - 1]),
  ),
  fromCache(
    "another run's predictions with noise",
    "all network calls: the predictions of an earlier run, disguised by 1 % of noise",
    ({ cached }, { index }) => {
      const noise = gaussianNoise(OWN_SEED, index, cached.d[index].length);
      return fromHalf(cached.d[index]).map((value, j) => value + 0.01 * noise[j]);
    },
  ),
  otherRequest(
    "wrong prompt",
    "nothing by itself: it lets one run answer several requests, counted here as half the work",
    () => ({ prompt: OTHER_PROMPT, prompt2: "" }),
    0.5,
  ),
  otherRequest(
    "no guidance",
    "half of each network call: the negative prompt is not computed",
    () => ({ guidanceScale: 1 }),
  ),
  otherRequest(
    "less guidance",
    "nothing: shows how fine the check sees (a fifth less guidance than was asked)",
    ({ guidanceScale }) => ({ guidanceScale: 0.8 * guidanceScale }),
  ),
];

/** Not a cheat: what the others are compared with. */
export const honest: Cheat = {
  name: "honest",
  saves: "nothing",
  run: async (lab) => ({
    ...await runWith(lab, lab.plan, lab.request.seed, networkOf(lab)),
    cheated: new Set(),
  }),
};
