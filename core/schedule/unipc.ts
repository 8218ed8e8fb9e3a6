import { refuse, type UniPcSettings } from "./config.ts";
import { known, type MultistepOptions, needsData, predictionWeights } from "./dpm_solver.ts";
import { type Node, uniPcSchedule } from "./multistep_schedule.ts";
import { type Plan, planRow, type StepWeights } from "./plan.ts";
import { expm1 } from "./portable_math.ts";
import { combineNoise, difference, scaled, sum, type Weights } from "./weights.ts";

/**
 * UniPC. The state x_i is what the predictor gave and the network saw; step i first corrects it by
 * the new prediction. The predictor and the corrector of one step start from the same state with
 * the same weight, so their difference needs predictions only:
 *
 *     corrected = x_i + (corrector's predictions - predictor's predictions)
 *
 * @see https://arxiv.org/abs/2302.04867, algorithms 1 and 2; B(h) is h or e^h - 1.
 */
export function planUniPc(
  settings: UniPcSettings,
  steps: number,
  { mu, begin = 0 }: MultistepOptions = {},
): Plan {
  const { timesteps, sigmas, nodes } = uniPcSchedule(settings, steps, mu);
  refuseUndefined(settings, timesteps.length);
  const rows = timesteps.map((timestep, i) => {
    const weights = predictionWeights(settings, nodes[i], sigmas[i]);
    return planRow({ timestep, ...nodes[i], ...weights }, step({ ...settings, begin }, nodes, i));
  });
  return {
    solver: "UniPCMultistepScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: 1,
    rows,
  };
}

/** The first step that is taken: there is no history before it. */
type Settings = UniPcSettings & { readonly begin: number };

function refuseUndefined(settings: UniPcSettings, steps: number): void {
  if (!settings.predict_x0 && needsData(settings)) {
    const why = "which needs predict_x0 to be true";
    refuse("unsupported_setting", "prediction_type", settings.prediction_type, why);
  }
  const unbounded = settings.final_sigmas_type === "zero" && !settings.lower_order_final;
  if (unbounded && settings.solver_order > 1 && steps > 1) {
    const why = "which leaves the last step to sigma 0 undefined; set it to true, " +
      "or final_sigmas_type to sigma_min";
    refuse("unsupported_setting", "lower_order_final", false, why);
  }
}

function step(settings: Settings, nodes: readonly Node[], i: number): StepWeights {
  const [from, to] = [nodes[i], nodes[i + 1]];
  const ratio = settings.predict_x0 ? to.sigma / from.sigma : to.alpha / from.alpha;
  const weights = sum([
    predictor(settings, nodes, i),
    scaled(correction(settings, nodes, i), ratio),
  ]);
  return settings.predict_x0
    ? { states: [ratio], denoised: weights }
    : combineNoise([ratio], weights, nodes, i);
}

function orderAt(settings: Settings, i: number, steps: number): number {
  const left = settings.lower_order_final ? steps - i : Infinity;
  return Math.min(settings.solver_order, left, known(i, settings.begin));
}

/** Weights by age of the predictions that take the corrected state i to state i + 1. */
function predictor(settings: Settings, nodes: readonly Node[], i: number): Weights {
  const { gain, slope, ratios, moments } = expansion(settings, nodes, i);
  if (slope === 0) return [gain];
  const rhos = ratios.length === 1 ? [0.5] : solve(vandermonde(ratios), moments);
  return towardsOlder(gain, slope, ratios, rhos);
}

/** Weights by age of what the corrector adds to state i, once the network has seen it. */
function correction(settings: Settings, nodes: readonly Node[], i: number): Weights {
  if (i <= settings.begin || settings.disable_corrector.includes(i - 1)) return [0];
  const { gain, slope, ratios, moments } = expansion(settings, nodes, i - 1);
  if (slope === 0) return [0];
  const rhos = ratios.length === 0 ? [0.5] : solve(vandermonde([...ratios, 1]), moments);
  const newest = slope * rhos[rhos.length - 1];
  const older = towardsOlder(gain - newest, slope, ratios, rhos);
  return difference([newest, ...older], [0, ...predictor(settings, nodes, i - 1)]);
}

/** gain * m_0 + slope * sum of rho_k * (m_k - m_0) / r_k, by age k. */
function towardsOlder(gain: number, slope: number, ratios: Weights, rhos: Weights): Weights {
  const older = ratios.map((ratio, k) => slope * rhos[k] / ratio);
  return [gain - older.reduce((total, weight) => total + weight, 0), ...older];
}

interface Expansion {
  /** Weight of the newest prediction, were it to stay as it is over the step. */
  readonly gain: number;
  /** Weight of its change over the step; 0 when the step has no length or no end. */
  readonly slope: number;
  /** Where the older predictions lie, in units of the step: negative. */
  readonly ratios: Weights;
  /** The integrals that the change's weights must meet. */
  readonly moments: Weights;
}

function expansion(settings: Settings, nodes: readonly Node[], i: number): Expansion {
  const [from, to] = [nodes[i], nodes[i + 1]];
  const h = to.lambda - from.lambda;
  // Noise prediction's sigma * (e^h - 1), written so that it stays finite at sigma = 0.
  const gain = settings.predict_x0
    ? -to.alpha * expm1(-h)
    : to.sigma - to.alpha * from.sigma / from.alpha;
  if (h === 0 || !Number.isFinite(h)) return { gain, slope: 0, ratios: [], moments: [] };
  const scale = settings.predict_x0 ? -to.alpha : -to.sigma;
  const step = settings.predict_x0 ? -h : h;
  const b = settings.solver_type === "bh1" ? step : expm1(step);
  const ratios = olderRatios(nodes, i, h, orderAt(settings, i, nodes.length - 1));
  const moments = momentsOf(step, ratios.length + 1).map((moment) => moment / b);
  return { gain, slope: scale * b, ratios, moments };
}

/** A repeated noise level says nothing new: the order ends there. */
function olderRatios(nodes: readonly Node[], i: number, h: number, order: number): Weights {
  const ratios = Array.from(
    { length: order - 1 },
    (_, k) => (nodes[i - k - 1].lambda - nodes[i].lambda) / h,
  );
  const repeated = ratios.findIndex((ratio, k) => ratio === (k === 0 ? 0 : ratios[k - 1]));
  return repeated === -1 ? ratios : ratios.slice(0, repeated);
}

/** k! * phi_{k+1}(h) * h for k = 1, 2, ...: integrals of e^t against powers of t over the step. */
function momentsOf(step: number, count: number): number[] {
  let phi = expm1(step) / step - 1;
  let factorial = 1;
  return Array.from({ length: count }, (_, k) => {
    const moment = phi * factorial;
    factorial *= k + 2;
    phi = phi / step - 1 / factorial;
    return moment;
  });
}

/** Rows of powers 0, 1, 2, ... of the ratios. */
function vandermonde(ratios: Weights): number[][] {
  const rows = [ratios.map(() => 1)];
  while (rows.length < ratios.length) {
    const last = rows[rows.length - 1];
    rows.push(ratios.map((ratio, i) => last[i] * ratio));
  }
  return rows;
}

/** Gaussian elimination with partial pivoting; 3 by 3 at most. Moments past the rows are unused. */
function solve(matrix: readonly number[][], moments: Weights): number[] {
  const rows = matrix.map((row, i) => [...row, moments[i]]);
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows.slice(k).reduce((best, row) =>
      Math.abs(row[k]) > Math.abs(best[k]) ? row : best
    );
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(k, 0, pivot);
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[k] / pivot[k];
      row.forEach((value, j) => row[j] = value - factor * pivot[j]);
    }
  }
  return rows.map((row, k) => row[rows.length] / row[k]);
}
