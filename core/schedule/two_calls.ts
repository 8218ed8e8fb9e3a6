import type { HeunSettings, Kdpm2AncestralSettings, Kdpm2Settings } from "./config.ts";
import { ancestralSigmas } from "./euler.ts";
import { explodingRow, type ExplodingSchedule, plainSchedule, towards } from "./exploding.ts";
import { roundHalfEven } from "./grid.ts";
import type { Plan, PlanRow, StepWeights } from "./plan.ts";
import { logSigmas, sigmaToTimestep } from "./sigmas.ts";

/**
 * Solvers of the second order that call the network twice a step, and once in the last, which ends
 * at sigma 0: 2N - 1 rows. The first row of a step goes to a trial state; the second starts from
 * the step's own start again, one state back.
 * @see https://arxiv.org/abs/2206.00364, algorithm 2, and equation (10) of appendix D for KDPM2.
 */

const f32 = Math.fround;

/** The trial at the next sigma; then the mean of the derivatives at both ends. */
export function planHeun(settings: HeunSettings, steps: number): Plan {
  const schedule = plainSchedule(settings, steps);
  const { timesteps, sigmas } = schedule;
  const type = settings.prediction_type;
  const rows = timesteps.flatMap((timestep, i) => {
    const [from, to] = [sigmas[i], sigmas[i + 1]];
    const trial = explodingRow(type, timestep, from, towards(from, to));
    if (i === steps - 1) return [trial];
    return [trial, explodingRow(type, timesteps[i + 1], to, meanOfEnds(from, to))];
  });
  const twice = sigmas.flatMap((sigma, i) => i === 0 || i === steps ? [sigma] : [sigma, sigma]);
  return planOf("HeunDiscreteScheduler", type, schedule, rows, twice);
}

function meanOfEnds(from: number, to: number): StepWeights {
  const half = (to - from) / 2;
  return {
    states: [half / to, 1 + half / from],
    denoised: [-half / to, -half / from],
  };
}

/** The trial half way in log sigma; then its derivative for the whole step. */
export function planKdpm2(settings: Kdpm2Settings, steps: number): Plan {
  const schedule = kdpm2Schedule(settings, steps);
  const rows = midpointRows(settings, schedule, (_, next) => ({ down: next, up: 0 }));
  return planOf("KDPM2DiscreteScheduler", settings.prediction_type, schedule, rows);
}

/** The same down to sigmaDown, then fresh noise up to the next sigma. */
export function planKdpm2Ancestral(settings: Kdpm2AncestralSettings, steps: number): Plan {
  const schedule = kdpm2Schedule(settings, steps);
  const rows = midpointRows(settings, schedule, ancestralSigmas);
  return planOf("KDPM2AncestralDiscreteScheduler", settings.prediction_type, schedule, rows);
}

/** Karras' timesteps are whole numbers here. */
function kdpm2Schedule(settings: Kdpm2Settings, steps: number): ExplodingSchedule {
  const schedule = plainSchedule(settings, steps);
  const rounding = settings.use_karras_sigmas ? roundHalfEven : (timestep: number) => timestep;
  return { ...schedule, timesteps: schedule.timesteps.map(rounding) };
}

function midpointRows(
  settings: Kdpm2Settings,
  { timesteps, sigmas, training }: ExplodingSchedule,
  targetOf: typeof ancestralSigmas,
): PlanRow[] {
  const type = settings.prediction_type;
  const logs = logSigmas(training);
  return timesteps.flatMap((timestep, i) => {
    const from = sigmas[i];
    const { down, up } = targetOf(from, sigmas[i + 1]);
    const middle = f32(Math.sqrt(from * down));
    const trial = explodingRow(type, timestep, from, towards(from, middle));
    if (middle === 0) return [trial];
    const share = (down - from) / middle;
    const next = { states: [share, 1], denoised: [-share], noise: up };
    return [trial, explodingRow(type, f32(sigmaToTimestep(middle, logs)), middle, next)];
  });
}

/** @param sigmas As diffusers lists them: of KDPM2 without the levels in between. */
function planOf(
  solver: string,
  predictionType: Plan["predictionType"],
  schedule: ExplodingSchedule,
  rows: PlanRow[],
  sigmas = [
    ...schedule.sigmas.flatMap((sigma, i) => i === 0 ? [sigma] : [sigma, sigma]),
    schedule.sigmas[schedule.sigmas.length - 1],
  ],
): Plan {
  const timesteps = rows.map(({ timestep }) => timestep);
  return { solver, predictionType, timesteps, sigmas, initialScale: schedule.initialScale, rows };
}
