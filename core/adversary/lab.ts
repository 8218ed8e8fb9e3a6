import type { GenerationRequest, PlanRequest } from "../request/mod.ts";
import type { ImageEngine } from "../generation/mod.ts";
import { type LatentDims, stepLatent } from "../denoise/mod.ts";
import { fromHalf, toHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import { evaluate, MAX_REACH, type Plan, type PlanRow, startCombination } from "../schedule/mod.ts";

/** A finished run: float16 bits of x_0 to x_N and of D_0 to D_{N-1}. */
export interface States {
  readonly x: readonly Uint16Array[];
  readonly d: readonly Uint16Array[];
}

/** What a cheat has: the request that it should serve, the network at a price, all else free. */
export interface Lab {
  readonly request: GenerationRequest;
  readonly plan: Plan;
  /** Of one image's latent. */
  readonly dims: LatentDims;
  /** The model that was asked for. */
  readonly engine: Pick<ImageEngine, "predict">;
  /** An image of another seed, made earlier: what a miner may keep. */
  readonly cached: States;
  /** The same network with other weights. */
  alteredEngine(alteration: Alteration): Promise<Pick<ImageEngine, "predict">>;
  planOf(request: PlanRequest): Plan;
}

/** What is done to the weights of a cheaper model. */
export type Alteration = "int8" | "int8 middle" | "int4" | "float16" | "tf32" | "other";

/** A run as the miner commits to it, and what it really is. */
export interface CheatedRun extends States {
  /** Steps that are not what the network makes of their state. */
  readonly cheated: ReadonlySet<number>;
  /**
   * What a counted network call costs the miner, that of an honest one being 1: less with a cheaper
   * network, 0 where the calls were made before, for another caller.
   */
  readonly price?: number;
  /** What is committed to, where that is not what is opened. */
  readonly commits?: States;
  /** Steps whose opening is withheld. */
  readonly withholds?: ReadonlySet<number>;
}

/** A way to be paid for less than was asked for. */
export interface Cheat {
  readonly name: string;
  /** What it does, and what it saves. */
  readonly saves: string;
  run(lab: Lab): Promise<CheatedRun>;
}

/** The step that a miner is computing. */
export interface Moment {
  readonly index: number;
  readonly row: PlanRow;
  /** x_i, float16 bits. */
  readonly bits: Uint16Array;
  /** D_{i-1}, D_{i-2}, ... as float32. */
  readonly denoised: readonly Float32Array[];
}

/** Makes up or computes D_i. */
export type Predictor = (moment: Moment) => Promise<Float32Array>;

/** The network's own D_i, at the price of one call. */
export function networkOf(
  lab: Pick<Lab, "engine" | "request">,
  request: GenerationRequest = lab.request,
): Predictor {
  return async ({ index, bits }) => {
    const [denoised] = await lab.engine.predict(request, [{ index, bits }]);
    return fromHalf(denoised);
  };
}

/**
 * Runs a plan with these predictions. All arithmetic around them is honest: what anybody can
 * recompute without the model holds.
 */
export async function runWith(
  { dims }: Pick<Lab, "dims">,
  plan: Plan,
  seed: bigint,
  predict: Predictor,
): Promise<States> {
  const length = dims.reduce((product, side) => product * side, 1);
  const x = [toHalf(evaluate(length, startCombination(plan, gaussianNoise(seed, 0, length))))];
  const d: Uint16Array[] = [];
  let states: Float32Array[] = [fromHalf(x[0])];
  let denoised: Float32Array[] = [];
  for (const [index, row] of plan.rows.entries()) {
    const output = await predict({ index, row, bits: x[index], denoised });
    const next = stepFrom(row, { states, denoised, prediction: output, seed, index });
    states = [next.next, ...states].slice(0, MAX_REACH);
    denoised = [next.denoised, ...denoised].slice(0, MAX_REACH);
    x.push(toHalf(next.next));
    d.push(toHalf(next.denoised));
  }
  return { x, d };
}

/**
 * A run whose predictions at some steps come from elsewhere, and at all others from the network.
 * @param places the steps.
 */
export async function runReplacing(
  lab: Lab,
  places: readonly number[],
  elsewhere: Predictor,
): Promise<CheatedRun> {
  const cheated = new Set(places);
  const network = networkOf(lab);
  const predict = (moment: Moment) => (cheated.has(moment.index) ? elsewhere : network)(moment);
  return { ...await runWith(lab, lab.plan, lab.request.seed, predict), cheated };
}

/** x_{i+1} by the row, with a D_i from anywhere. */
export function stepFrom(
  row: PlanRow,
  { states, denoised, prediction, seed, index }: {
    readonly states: readonly Float32Array[];
    readonly denoised: readonly Float32Array[];
    readonly prediction: Float32Array;
    readonly seed: bigint;
    readonly index: number;
  },
): ReturnType<typeof stepLatent> {
  return stepLatent({ ...row, fromX: 0, fromOut: 1 }, {
    states,
    denoised,
    output: prediction,
    negativeOutput: undefined,
    guidanceScale: 1,
    noise: () => gaussianNoise(seed, index + 1, prediction.length),
  });
}
