import { type DpmSolverSettings, refuse } from "./config.ts";
import { dpmSchedule, type Node } from "./multistep_schedule.ts";
import {
  type DenoisedWeights,
  denoisedWeights,
  type Plan,
  planRow,
  type StepWeights,
} from "./plan.ts";
import { exp, expm1 } from "./portable_math.ts";
import { combineNoise, difference, scaled, sum, type Weights } from "./weights.ts";

type Algorithm = DpmSolverSettings["algorithm_type"];

/** What a request leaves to a solver with history. */
export interface MultistepOptions {
  /** The shift that depends on the image's size. */
  readonly mu?: number;
  /** The first step that is taken: there is no history before it. */
  readonly begin?: number;
}

/** A schedule's steps, and the first that is taken. */
export interface StepSpan {
  readonly steps: number;
  readonly begin: number;
}

/** Which integrals a step takes. */
type Kind = Pick<DpmSolverSettings, "algorithm_type" | "solver_type">;

type StepSettings =
  & Kind
  & Pick<
    DpmSolverSettings,
    "solver_order" | "lower_order_final" | "euler_at_final" | "final_sigmas_type"
  >;

/**
 * DPM-Solver and DPM-Solver++, ODE and SDE, by steps in lambda = log(alpha / sigma), h its step.
 * @see DPM-Solver, https://arxiv.org/abs/2206.00927; DPM-Solver++, https://arxiv.org/abs/2211.01095.
 */
export function planDpmSolver(
  settings: DpmSolverSettings,
  steps: number,
  { mu, begin = 0 }: MultistepOptions = {},
): Plan {
  refuseUndefined(settings);
  const { timesteps, sigmas, nodes } = dpmSchedule(settings, steps, mu);
  const rows = timesteps.map((timestep, i) => {
    const weights = predictionWeights(settings, nodes[i], sigmas[i]);
    const next = multistepWeights(settings, nodes, i, { steps: timesteps.length, begin });
    return planRow({ timestep, ...nodes[i], ...weights }, next);
  });
  return {
    solver: "DPMSolverMultistepScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: 1,
    rows,
  };
}

/** `flow_prediction` is read at the schedule's sigma itself, also without flow sigmas. */
export function predictionWeights(
  settings: Pick<DpmSolverSettings, "prediction_type">,
  node: Node,
  sigma: number,
): DenoisedWeights {
  const flow = settings.prediction_type === "flow_prediction";
  return denoisedWeights(settings.prediction_type, flow ? { alpha: node.alpha, sigma } : node);
}

/** What no noise can be read from: a flow's velocity, and v where alpha^2 + sigma^2 is not 1. */
export function needsData(
  settings: Pick<DpmSolverSettings, "prediction_type" | "use_flow_sigmas">,
): boolean {
  const { prediction_type: type, use_flow_sigmas: flow } = settings;
  return type === "flow_prediction" || (type === "v_prediction" && flow);
}

function refuseUndefined(settings: DpmSolverSettings): void {
  const { algorithm_type: type, solver_order: order } = settings;
  refuseNoisePrediction(settings);
  if (type === "sde-dpmsolver" && order === 3) {
    refuse("unsupported_setting", "solver_order", order, `must be 1 or 2 for ${type}`);
  }
}

/** Refuses integrating the predicted noise where there is none, or to its end. */
export function refuseNoisePrediction(
  settings: Parameters<typeof needsData>[0] & {
    readonly algorithm_type: Algorithm;
    readonly final_sigmas_type: string;
  },
): void {
  const { algorithm_type: type, final_sigmas_type: final } = settings;
  if (integratesData(type)) return;
  if (final === "zero") {
    refuse("invalid_config", "final_sigmas_type", final, `must be sigma_min for ${type}`);
  }
  if (needsData(settings)) {
    const why = `which needs dpmsolver++ or sde-dpmsolver++ rather than ${type}`;
    refuse("unsupported_setting", "prediction_type", settings.prediction_type, why);
  }
}

export function integratesData(type: Algorithm): boolean {
  return type === "dpmsolver++" || type === "sde-dpmsolver++";
}

/** How many predictions there are at step i. Steps before the first are planned, and not taken. */
export function known(i: number, begin: number): number {
  return Math.max(i - begin + 1, 1);
}

/** Lower where too little history is there yet, and at the end where the config says so. */
export function orderAt(
  settings: Omit<StepSettings, keyof Kind>,
  i: number,
  { steps, begin }: StepSpan,
): number {
  const short = settings.lower_order_final && steps < 15;
  const first = settings.euler_at_final || short || settings.final_sigmas_type === "zero";
  if (i === steps - 1 && first) return 1;
  const allowed = i === steps - 2 && short ? 2 : settings.solver_order;
  return Math.min(allowed, settings.solver_order, known(i, begin));
}

/** Weights of the step from node i, of as high an order as the settings and the history allow. */
export function multistepWeights(
  settings: StepSettings,
  nodes: readonly Node[],
  i: number,
  span: StepSpan,
): StepWeights {
  const order = orderAt(settings, i, span);
  const [from, to] = [nodes[i], nodes[i + 1]];
  const h = to.lambda - from.lambda;
  // A repeated noise level leaves nothing to do.
  if (h === 0) return { states: [1], denoised: [0] };
  const terms = derivatives(nodes, i, h, order);
  const { state, gains, noise } = coefficients(settings, from, to, h, terms.length);
  const weights = sum(terms.map((term, k) => scaled(term, gains[k])));
  if (integratesData(settings.algorithm_type)) return { states: [state], denoised: weights, noise };
  return { ...combineNoise([state], weights, nodes, i), noise };
}

/**
 * The prediction and its first derivatives in lambda, in units of h, by finite differences.
 * @see DPM-Solver++, algorithm 2; r0, r1 are the steps before in units of h.
 */
function derivatives(nodes: readonly Node[], i: number, h: number, order: number): Weights[] {
  const r0 = order > 1 ? (nodes[i].lambda - nodes[i - 1].lambda) / h : 0;
  // A repeated noise level carries no slope: the order falls.
  if (r0 === 0) return [[1]];
  const slope = [1 / r0, -1 / r0];
  const r1 = order > 2 ? (nodes[i - 1].lambda - nodes[i - 2].lambda) / h : 0;
  if (r1 === 0) return [[1], slope];
  const bend = difference(slope, [0, 1 / r1, -1 / r1]);
  return [
    [1],
    sum([slope, scaled(bend, r0 / (r0 + r1))]),
    scaled(bend, 1 / (r0 + r1)),
  ];
}

interface Coefficients {
  readonly state: number;
  /** Of the prediction and of its first and second derivative. */
  readonly gains: readonly number[];
  readonly noise: number;
}

export function coefficients(
  settings: Kind,
  from: Node,
  to: Node,
  h: number,
  terms: number,
): Coefficients {
  const gains = (scale: number, step: number) => integrals(settings, step, terms, scale);
  const spread = Math.sqrt(Math.max(-expm1(-2 * h), 0));
  switch (settings.algorithm_type) {
    case "dpmsolver++":
      return { state: to.sigma / from.sigma, gains: gains(-to.alpha, -h), noise: 0 };
    case "sde-dpmsolver++":
      return {
        state: to.sigma / from.sigma * exp(-h),
        gains: gains(-to.alpha, -2 * h),
        noise: to.sigma * spread,
      };
    case "dpmsolver":
      return { state: to.alpha / from.alpha, gains: gains(-to.sigma, h), noise: 0 };
    case "sde-dpmsolver":
      return {
        state: to.alpha / from.alpha,
        gains: gains(-2 * to.sigma, h),
        noise: to.sigma * exp(h) * spread,
      };
    default:
      return settings.algorithm_type satisfies never;
  }
}

/** Integrals of the exponential against the prediction and its derivatives, over the step. */
function integrals(
  settings: Kind,
  step: number,
  terms: number,
  scale: number,
): number[] {
  const e1 = expm1(step);
  if (terms === 1) return [scale * e1];
  if (terms === 2 && settings.solver_type === "midpoint") return [scale * e1, scale * e1 / 2];
  // The third-order SDE has the other sign in diffusers, and with it the images that people know.
  const half = settings.algorithm_type === "sde-dpmsolver++" ? -0.5 : 0.5;
  return [scale * e1, scale * (e1 / step - 1), scale * ((e1 - step) / (step * step) - half)]
    .slice(0, terms);
}
