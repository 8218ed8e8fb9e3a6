import { counted } from "../counted.ts";
import { fromHalf, toHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import {
  type Cheat,
  type Lab,
  type Moment,
  networkOf,
  type Predictor,
  runReplacing,
  stepFrom,
} from "./lab.ts";
import { depth, extrapolate, reuse } from "./prediction_cheats.ts";

/** Noise that no seed of a request gives. */
const OWN_SEED = 0xf0e6edn;

/** Honest runs but for a few steps: what a draw of three of them may miss. */
export const stepForgeries: readonly Cheat[] = [
  madeUp("last D made up", 1),
  madeUp("D of the last but one made up", 2),
  madeUp("D five before the end made up", 5),
  forged("one D used again", 1, reuse),
  forged("three D used again", 3, reuse),
  jump(2),
  jump(4),
  jump(6),
  forged("one D used again, with noise", 1, reuseWithNoise),
  forged("one D extrapolated", 1, extrapolate),
];

/** D_i is the end of another run: the image that is wanted. */
function madeUp(name: string, fromEnd: number): Cheat {
  return cheatAt(name, (lab) => [lab.plan.rows.length - fromEnd], (lab) => {
    const wanted = fromHalf(lab.cached.x[lab.cached.x.length - 1]);
    return () => Promise.resolve(wanted);
  });
}

/** D_i from the predictions before it, at so many steps. */
function forged(name: string, count: number, guess: Predictor): Cheat {
  return cheatAt(name, (lab) => placesOf(lab, 2, count), () => guess);
}

/**
 * Over steps i to i + m - 1: one large step with D_{i-1}, the network at its end, and predictions
 * between the two.
 */
function jump(length: number): Cheat {
  const steps = (lab: Lab) => {
    const [first] = placesOf(lab, 2, 1, length - 1);
    return Array.from({ length }, (_, k) => first + k);
  };
  return cheatAt(`a jump over ${counted(length, "step")}`, steps, (lab, places) => {
    let far: Promise<Float32Array> | undefined;
    const depthAt = (i: number) => depth(lab.plan.rows[i]);
    const [from, to] = [places[0] - 1, places[length - 1]];
    let near: Float32Array;
    return async (moment) => {
      if (!far) near = moment.denoised[0];
      const end = await (far ??= farPrediction(lab, moment, length));
      const share = (depthAt(moment.index) - depthAt(from)) / (depthAt(to) - depthAt(from));
      return near.map((value, j) => value + share * (end[j] - value));
    };
  });
}

/** What the network makes of the state that the large step ends in. */
function farPrediction(lab: Lab, moment: Moment, length: number): Promise<Float32Array> {
  const { seed } = lab.request;
  const prediction = moment.denoised[0];
  const denoised = [...moment.denoised];
  let state: Float32Array = fromHalf(moment.bits);
  for (let index = moment.index; index < moment.index + length - 1; index++) {
    const row = lab.plan.rows[index];
    const step = stepFrom(row, { states: [state], denoised, prediction, seed, index });
    state = step.next;
    denoised.unshift(step.denoised);
  }
  const index = moment.index + length - 1;
  return networkOf(lab)({ index, row: lab.plan.rows[index], bits: toHalf(state), denoised });
}

function cheatAt(
  name: string,
  placesIn: (lab: Lab) => readonly number[],
  guessIn: (lab: Lab, places: readonly number[]) => Predictor,
): Cheat {
  return {
    name,
    saves: "few network calls or none: a picture of the miner's own, or a little time",
    run: async (lab) => {
      const places = placesIn(lab);
      return await runReplacing(lab, places, guessIn(lab, places));
    },
  };
}

/** Other steps for every seed. @param first and those before it are never taken. */
function placesOf({ plan, request }: Lab, first: number, count: number, room = 0): number[] {
  const free = plan.rows.length - room - first;
  const noise = gaussianNoise(OWN_SEED + request.seed, count + room, free);
  const order = [...noise.keys()].sort((a, b) => noise[a] - noise[b]);
  return order.slice(0, count).map((k) => first + k).sort((a, b) => a - b);
}

/** As much noise as the last prediction changed by. */
function reuseWithNoise({ index, denoised: [last, before] }: Moment): Promise<Float32Array> {
  const changes = last.map((value, j) => value - before[j]);
  const size = Math.sqrt(changes.reduce((sum, value) => sum + value * value, 0) / last.length);
  const noise = gaussianNoise(OWN_SEED, index, last.length);
  return Promise.resolve(last.map((value, j) => value + size * noise[j]));
}
