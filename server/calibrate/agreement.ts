import type { GenerationRequest } from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { fromHalf } from "../../core/half.ts";
import type { Plan } from "../../core/schedule/mod.ts";
import type { Tolerance } from "../../core/model/mod.ts";
import { finishResidual, residualSums, schedulerKey } from "../../core/verifier/mod.ts";
import type { Machine } from "./hosts.ts";

/** One step that an engine made, as another engine's network sees it. */
export interface StepAgreement {
  readonly maker: string;
  readonly checker: string;
  /** Of the less exact of the two: whose tolerance holds. */
  readonly precision: Tolerance["precision"];
  readonly run: number;
  /** Of the request, by `schedulerKey`. */
  readonly scheduler: string | undefined;
  readonly index: number;
  /** Of `steps`. */
  readonly steps: number;
  /** sigma / alpha of the step. */
  readonly noise: number;
  /** |v - v'| / |v'|, both predictions rounded to float16. */
  readonly velocityError: number;
}

/** A run with all that it committed to. */
interface MadeRun {
  readonly request: GenerationRequest;
  readonly plan: Plan;
  readonly states: readonly Uint16Array[];
  readonly denoised: readonly Uint16Array[];
}

/** Makes a run on one machine and predicts all its steps again on each. */
export async function compareMachines(
  [maker, { engine, precision }]: readonly [string, Machine],
  machines: ReadonlyMap<string, Machine>,
  request: GenerationRequest,
  run: number,
): Promise<StepAgreement[]> {
  const made = await makeRun(engine, request);
  const found: StepAgreement[] = [];
  for (const [checker, other] of machines) {
    const less = precision === "float16" ? precision : other.precision;
    const machines = { maker, checker, precision: less, run };
    found.push(...await checkRun(other.engine, made, machines));
  }
  return found;
}

async function makeRun(engine: ImageEngine, request: GenerationRequest): Promise<MadeRun> {
  const leaves = { x: [] as Uint16Array[], d: [] as Uint16Array[] };
  const { plan } = await engine.generate(request, {
    onLeaf: ({ kind, bits }) => {
      if (kind === "x" || kind === "d") leaves[kind].push(bits);
    },
  });
  return { request, plan, states: leaves.x, denoised: leaves.d };
}

async function checkRun(
  engine: ImageEngine,
  { request, plan, states, denoised }: MadeRun,
  machines: Pick<StepAgreement, "maker" | "checker" | "precision" | "run">,
): Promise<StepAgreement[]> {
  const asked = denoised.map((_, index) => ({ index, bits: states[index] }));
  const predicted = await engine.predict(request, asked);
  return plan.rows.map(({ alpha, sigma }, index) => {
    const next = fromHalf(states[index + 1]);
    const { velocityError } = finishResidual(residualSums({
      alpha,
      state: fromHalf(states[index]),
      denoised: fromHalf(denoised[index]),
      denoisedAgain: fromHalf(predicted[index]),
      next,
      nextAgain: next,
    }));
    const scheduler = schedulerKey(request.scheduler);
    return {
      ...machines,
      scheduler,
      index,
      steps: plan.rows.length,
      noise: sigma / alpha,
      velocityError,
    };
  });
}
