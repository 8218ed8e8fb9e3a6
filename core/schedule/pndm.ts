import { cumulativeAlphas } from "./betas.ts";
import type { PndmSettings } from "./config.ts";
import { marginal, refusePastEnd } from "./ddim.ts";
import { roundHalfEven } from "./grid.ts";
import {
  type DenoisedWeights,
  denoisedWeights,
  type Plan,
  planRow,
  type StepWeights,
} from "./plan.ts";
import { evenTimesteps } from "./timesteps.ts";
import { scaled, sum, type Weights } from "./weights.ts";

/**
 * Pseudo linear multistep (PLMS), as `skip_prk_steps` asks: N + 1 network calls for N steps, since
 * the first step is taken twice, the second time from its own start by the mean of both outputs.
 * The multistep formulas then combine the network's raw outputs of all calls but that second one.
 * @see https://arxiv.org/abs/2202.09778, equations (9) and (12).
 */
export function planPndm(settings: PndmSettings, steps: number, begin = 0): Plan {
  const cumulative = cumulativeAlphas({ ...settings, rescale_betas_zero_snr: false });
  const even = evenTimesteps(settings, steps).map(roundHalfEven);
  if (even[0] >= cumulative.length) refusePastEnd("PNDM", settings, steps);
  const timesteps = [...even.slice(0, 2), ...even.slice(1)].slice(begin);
  const calls = timesteps.map((timestep) => {
    const from = marginal(cumulative[timestep]);
    return { timestep, ...from, ...denoisedWeights(settings.prediction_type, from) };
  });
  const moves = movesOf(settings, cumulative, timesteps, steps);
  return {
    solver: "PNDMScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    initialScale: 1,
    rows: calls.map((call, i) => planRow(call, step(moves, calls, i))),
  };
}

/** x' = keep * x + gain * output, for an output that stays as it is from one step to the next. */
interface Move {
  readonly keep: number;
  readonly gain: number;
}

/** The second call takes the first step again: to its own timestep. */
function movesOf(
  settings: PndmSettings,
  cumulative: readonly number[],
  timesteps: readonly number[],
  steps: number,
): Move[] {
  const { prediction_type: type, num_train_timesteps: count } = settings;
  const stride = Math.floor(count / steps);
  const end = settings.set_alpha_to_one ? 1 : cumulative[0];
  return timesteps.map((timestep, i) => {
    const from = i === 1 ? timestep + stride : timestep;
    const to = from - stride < 0 ? end : cumulative[from - stride];
    return moveBetween(type, cumulative[from], to);
  });
}

function moveBetween(type: PndmSettings["prediction_type"], from: number, to: number): Move {
  const { alpha, sigma } = marginal(from);
  const next = marginal(to);
  const gain = next.sigma - next.alpha * sigma / alpha;
  const keep = next.alpha / alpha;
  return type === "epsilon" ? { keep, gain } : { keep: keep + gain * sigma, gain: gain * alpha };
}

/** Adams-Bashforth weights of the outputs, newest first, by how many there are. */
const OUTPUTS = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [
  55 / 24,
  -59 / 24,
  37 / 24,
  -9 / 24,
]];

function step(moves: readonly Move[], calls: readonly DenoisedWeights[], i: number): StepWeights {
  const { keep, gain } = moves[i];
  if (i === 1) return combineOutputs([0, keep], [gain / 2, gain / 2], calls, i);
  const outputs = OUTPUTS[Math.min(Math.max(i - 1, 0), 3)];
  // The second call's output is left out.
  const known = outputs.map((weight, k) => [i - k > 1 ? k : i, weight] as const);
  if (i === 4) return withoutOldest(moves, calls, known.map(([, weight]) => weight));
  const byAge: number[] = Array(i + 1).fill(0);
  for (const [age, weight] of known) byAge[age] += gain * weight;
  return combineOutputs([keep], byAge.slice(0, 4), calls, i);
}

/**
 * The fifth call reads the first output, four calls back, which is further than a row reads. That
 * follows from what both takes of the first step came to:
 *
 *     x_1 = k_0 * x_0 + g_0 * out_0,  x_2 = k_1 * x_0 + g_1 * (out_0 + out_1) / 2
 */
function withoutOldest(
  moves: readonly Move[],
  calls: readonly DenoisedWeights[],
  outputs: Weights,
): StepWeights {
  const [first, again, , , { keep, gain }] = moves;
  const ratio = again.keep / first.keep;
  const oldest = gain * outputs[3] / (again.gain / 2 - ratio * first.gain);
  const states = [keep, 0, oldest, -oldest * ratio];
  const newer = scaled(outputs.slice(0, 3), gain);
  return combineOutputs(states, [...newer, -oldest * again.gain / 2], calls, 4);
}

/** Weights of raw outputs as weights of states and predictions: out = (D - fromX * x) / fromOut. */
function combineOutputs(
  states: Weights,
  outputs: Weights,
  calls: readonly DenoisedWeights[],
  i: number,
): StepWeights {
  const share = (age: number) => outputs[age] === 0 ? 0 : outputs[age] / calls[i - age].fromOut;
  const denoised = outputs.map((_, age) => share(age));
  const ofStates = denoised.map((weight, age) => weight === 0 ? 0 : -weight * calls[i - age].fromX);
  return { states: sum([states, ofStates]), denoised };
}
