import { decodeRequest } from "../../request/mod.ts";
import type { Pipeline } from "../../generation/mod.ts";

/** A run of one image as another machine needs it, to predict its steps again. */
export interface RecordedRun {
  /** Of each step's marginal x = alpha * x0 + sigma * eps. */
  readonly alphas: readonly number[];
  /** x_i of each step, float16 bits. */
  readonly states: readonly (readonly number[])[];
}

/** A model on some device whose single steps are compared. In and out is JSON, also for a page. */
export interface StepMachine {
  /** @param input a request, before it is decoded. */
  record(input: unknown): Promise<RecordedRun>;
  /** @returns D_i of each step, before it is rounded to float16. */
  predict(input: unknown, states: RecordedRun["states"]): Promise<number[][]>;
}

export function stepMachine(pipeline: Pipeline): StepMachine {
  const decode = (input: unknown) => decodeRequest(input, { ...pipeline.defaults, seed: 0n });
  return {
    async record(input) {
      const states: number[][] = [];
      const { plan } = await pipeline.generate(decode(input), {
        onLeaf: ({ kind, bits }) => kind === "x" && states.push([...bits]),
      });
      return { alphas: plan.rows.map(({ alpha }) => alpha), states: states.slice(0, -1) };
    },
    async predict(input, states) {
      const asked = states.map((bits, index) => ({ index, bits: Uint16Array.from(bits) }));
      const predicted = await pipeline.predictUnrounded(decode(input), asked);
      return predicted.map((values) => [...values]);
    },
  };
}
