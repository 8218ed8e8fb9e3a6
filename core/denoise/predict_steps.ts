import { fromHalf } from "../half.ts";
import { joinRows, type Model, splitRows } from "../inference/mod.ts";
import { denoisedCombination, evaluate, type Plan, type Source } from "../schedule/mod.ts";
import type { Conditioning } from "../prompt/mod.ts";
import { controlInputs, groupControls, type RunControl } from "./control.ts";
import { maskedInput } from "./masked_input.ts";
import type { StepState } from "./step_state.ts";
import type { LatentDims } from "./latent_dims.ts";

export interface PredictInput {
  readonly plan: Plan;
  readonly dims: LatentDims;
  readonly conditioning: Conditioning;
  readonly guidanceScale: number;
  readonly guidanceRescale: number;
  readonly timeIds: readonly number[];
  /** Of the model's adapters, in their order. */
  readonly adapterScales: readonly number[];
  readonly states: readonly StepState[];
  readonly control?: RunControl;
  /** Where the network reads it. */
  readonly source?: Pick<Source, "mask" | "kept">;
}

/**
 * What the network makes of single states: D_i after guidance, not yet rounded to float16. All
 * states go through the network as one batch, each with its own timestep, where the graph takes
 * it; with ControlNets one by one, since each step may have other scales.
 * @returns D_i of each state, f32[channels, height, width].
 */
export async function predictSteps(model: Model, input: PredictInput): Promise<Float32Array[]> {
  const size = model.unet.takesTimesteps && !input.control ? input.states.length : 1;
  const predictions: Float32Array[] = [];
  for (let first = 0; first < input.states.length; first += size) {
    const states = input.states.slice(first, first + size);
    predictions.push(...await predictBatch(model, { ...input, states }));
  }
  return predictions;
}

async function predictBatch(model: Model, input: PredictInput): Promise<Float32Array[]> {
  const { plan, dims, conditioning: { positive, negative }, guidanceScale, states } = input;
  const { control, timeIds, adapterScales } = input;
  const rows = states.map(({ index }) => plan.rows[index]);
  const values = states.map(({ bits }) => fromHalf(bits));
  const sides = negative ? 2 : 1;
  const text = [...(negative ? states.map(() => negative) : []), ...states.map(() => positive)];
  const own = rows.map(({ timestep }) => timestep);
  const timesteps = own.length === 1 ? own : repeated(own, sides);
  const unet = control?.unet ?? model.unet;
  const sample = joinRows(
    repeated(values.map((x, k) => x.map((value) => rows[k].inScale * value)), sides),
  );
  const masked = maskedInput(input.source, dims);
  const [{ index }] = states;
  const shape = [text.length, ...dims];
  const call = { sample, dims: shape, timestep: own[0], index, steps: plan.rows.length };
  const controls = groupControls(control, { text, timeIds, dims });
  const output = await unet.predict(sample, shape, timesteps, {
    ...unet.constantInputs({ text, timeIds, guidanceScale, adapterScales, masked }),
    ...await controlInputs(control, controls, call),
  });
  const parts = splitRows(output, values[0].length);
  return values.map((x, k) =>
    evaluate(
      x.length,
      denoisedCombination(rows[k], x, {
        output: parts[negative ? states.length + k : k],
        negativeOutput: negative ? parts[k] : undefined,
        guidanceScale,
        guidanceRescale: input.guidanceRescale,
      }),
    )
  );
}

function repeated<T>(values: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => values).flat();
}
